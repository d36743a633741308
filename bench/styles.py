"""Text of four styles that any machine has or the model writes: prose, stories, chats and code.

A fifth of everything is held out by its name or topic, and never in what a fit reads.
"""

from __future__ import annotations

import ast
import hashlib
import itertools
import json
import math
import sysconfig
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import torch

from bench.openings import articles, is_held_out, questions, stories
from bench.text import CHARACTERS_A_TOKEN, documents, in_turn, modules
from lenswidget.model.backends import backend_of
from lenswidget.model.generation import cache_agrees, generate

HELD_OUT = Path(__file__).parent / "held_out"
STYLES = ("prose", "story", "chat", "code")
LENGTH = 192
"""Tokens that the model writes after an opening."""
BATCH = 192
"""Texts that are written together; the same openings again, where there are fewer of one length."""
TEMPERATURE, TOP_P = 0.8, 0.95
"""At temperature 1 a model this small is soon lost for words that there are."""
EXCERPT = 3_000
"""Characters of one document: a few paragraphs or functions."""
FILES_OF_A_PACKAGE = 12
"""An excerpt of each: as many from a small package as from one of thousands of files."""
NOT_WRITTEN = {"test", "tests", "testing", "dist", "static", "labextension", "vendor", "_vendor", "__pycache__"}
"""Folders of what is no more than data, made by a machine, or another package's."""
SHARE_OF_ARTICLES = 0.25
"""Of the prose; documentation is the rest."""


def held_out_pages(tokenizer: Any) -> dict[str, list[str]]:
    """A page of each style that is in no fit: 800 to 1,000 tokens of each, the chats in the model's template."""
    pages = {name: [(HELD_OUT / f"{name}.txt").read_text("utf-8")] for name in STYLES if name != "chat"}
    chats = json.loads((HELD_OUT / "chat.json").read_text("utf-8"))
    pages["chat"] = [tokenizer.apply_chat_template(chat, tokenize=False) for chat in chats]
    return {name: pages[name] for name in STYLES}


def of_style(model: Any, style: str, tokens: int, *, held_out: bool = False) -> list[str]:
    """Documents of one style, about so many tokens of them."""
    if style == "prose":
        own = int(tokens * SHARE_OF_ARTICLES)
        documented = [text[:EXCERPT] for text in documents(held_out=held_out)]
        wanted = int((tokens - own) * CHARACTERS_A_TOKEN)
        return in_turn(_first(documented, wanted), written(model, articles(held_out=held_out), own, held_out))
    if style == "story":
        return written(model, stories(held_out=held_out), tokens, held_out)
    if style == "chat":
        asked = [
            model.tokenizer.apply_chat_template(
                [{"role": "user", "content": question}], tokenize=False, add_generation_prompt=True
            )
            for question in questions(held_out=held_out)
        ]
        return written(model, asked, tokens, held_out)
    if style == "code":
        return code(tokens, held_out=held_out)
    raise ValueError(f"style is one of {', '.join(STYLES)}; got {style!r}.")


def written(model: Any, openings: list[str], tokens: int, held_out: bool = False) -> list[str]:
    """What a model writes after each of some openings, as many of them as it takes; what ends is followed by what comes next."""
    network, tokenizer = backend_of(model).network, model.tokenizer
    by_length: dict[int, list[list[int]]] = defaultdict(list)
    for text in openings:
        ids = tokenizer(text, add_special_tokens=False)["input_ids"]
        by_length[len(ids)].append(ids)
    # those of one length are written together, the largest groups first, again and again
    groups = sorted(by_length.values(), key=len, reverse=True)
    use_cache = cache_agrees(network, torch.arange(100, 108).unsqueeze(0))
    texts: list[str] = []
    rounds = 0
    while len(texts) * LENGTH < tokens:
        for group in groups:
            wanted = min(BATCH, math.ceil(tokens / LENGTH) - len(texts))
            if wanted <= 0:
                break
            starts = [group[(rounds * BATCH + i) % len(group)] for i in range(wanted)]
            seed = 1_000 * held_out + 10 * rounds + len(starts[0]) * 100_003
            each = generate(
                network, torch.tensor(starts), max_new_tokens=LENGTH, ends=(), temperature=TEMPERATURE, top_p=TOP_P,
                seed=seed, use_cache=use_cache,
            )  # fmt: skip
            texts += [tokenizer.decode([*start, *rest]) for start, rest in zip(starts, each)]
        rounds += 1
    return texts


def code(tokens: int, *, held_out: bool = False) -> list[str]:
    """Excerpts of the standard library, without the docstrings that are prose, and of the headers that come with torch."""
    kinds = [[text for name, text in _files(kind) if is_held_out(name) == held_out] for kind in ("library", "headers")]
    wanted = int(tokens * CHARACTERS_A_TOKEN)
    return in_turn(_first(kinds[0], wanted * 4 // 5), _first(kinds[1], wanted // 5))


@cache
def _files(kind: str) -> tuple[tuple[str, str], ...]:
    """Excerpts with the names of their files, all of them mixed."""
    found = [
        (name, place, excerpt)
        for name, text in (_library() if kind == "library" else _headers())
        for place, excerpt in enumerate(_excerpts(text))
    ]
    mixed = sorted(found, key=lambda item: hashlib.md5(f"{item[0]} {item[1]}".encode()).digest())
    return tuple((name, excerpt) for name, _, excerpt in mixed)


def packaged_code(tokens: int, *, held_out: bool = False) -> list[str]:
    """Excerpts of the packages that are installed, and of the front-end's JavaScript; a fifth of the packages is held out."""
    kinds = [
        [text for name, text in _packaged(kind) if is_held_out(name) == held_out] for kind in ("python", "scripts")
    ]
    wanted = int(tokens * CHARACTERS_A_TOKEN)
    return in_turn(*(_first(texts, wanted * share // 4) for texts, share in zip(kinds, (3, 1)) if texts))


@cache
def _packaged(kind: str) -> tuple[tuple[str, str], ...]:
    """An excerpt of each of a few files of every package, with the package's name, all of them mixed."""
    root, endings = {
        "python": (Path(sysconfig.get_path("purelib")), ("py",)),
        "scripts": (Path(__file__).parents[1] / "js" / "node_modules", ("js", "ts", "mjs")),
    }[kind]
    found = []
    for package in sorted(path for path in root.glob("*") if path.is_dir() and not path.name.endswith(".dist-info")):
        files = {
            _hash(path.relative_to(root).as_posix()): path
            for ending in endings
            for path in package.rglob(f"*.{ending}")
            if not NOT_WRITTEN & set(path.relative_to(root).parts)
        }
        found += itertools.islice(_one_of_each(package.name, files), FILES_OF_A_PACKAGE)
    return tuple((name, excerpt) for _, name, excerpt in sorted(found))


def _one_of_each(package: str, files: dict[bytes, Path]) -> Iterator[tuple[bytes, str, str]]:
    """An excerpt of each file that people wrote, in the order of their hashes, which say where in it to look."""
    for key, path in sorted(files.items()):
        text = path.read_text("utf-8", errors="ignore")
        excerpts = list(_excerpts(text)) if _by_hand(text) else []
        if excerpts:
            yield key, package, excerpts[key[0] % len(excerpts)]


def _by_hand(text: str) -> bool:
    """Whether people wrote it: what a bundler wrote has long lines."""
    return max(map(len, text.splitlines()), default=0) <= 300


def _hash(name: str) -> bytes:
    return hashlib.md5(name.encode()).digest()


def _library() -> Iterator[tuple[str, str]]:
    root = Path(sysconfig.get_path("stdlib"))
    for path in modules():
        name = path.relative_to(root).as_posix()
        if not name.startswith(("encodings/", "pydoc_data/")):  # tables
            yield name, _without_docstrings(path)


def _headers() -> Iterator[tuple[str, str]]:
    root = Path(torch.__file__).parent / "include"
    for path in sorted(root.rglob("*.h"))[::16]:
        yield path.relative_to(root).as_posix(), path.read_text("utf-8", errors="ignore")


def _without_docstrings(path: Path) -> str:
    """A module's source without its docstrings of some length: those are prose."""
    try:
        source = path.read_bytes().decode("utf-8")
        tree = ast.parse(source)
    except (SyntaxError, ValueError):
        return ""
    lines: list[str | None] = list(source.splitlines(keepends=True))
    for node in ast.walk(tree):
        if not isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            continue
        if len(ast.get_docstring(node) or "") >= 80:
            first = node.body[0]
            lines[first.lineno - 1 : first.end_lineno] = [None] * ((first.end_lineno or 0) - first.lineno + 1)
    return "".join(line for line in lines if line is not None)


def _excerpts(text: str) -> Iterator[str]:
    """A text in pieces of whole lines; what is left at its end, where that is no less than a few lines."""
    start = 0
    while len(text) - start > 400:
        end = text.find("\n", start + EXCERPT) + 1 or len(text)
        yield text[start:end]
        start = end


def _first(texts: list[str], characters: int) -> list[str]:
    """The first texts, of about so many characters; all of them where they hold fewer."""
    size = 0
    for count, text in enumerate(texts, 1):
        size += len(text)
        if size >= characters:
            return texts[:count]
    return texts
