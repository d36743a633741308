"""The course that comes with the package: a Markdown file and the exercises of each lesson, and the glossary of all."""
