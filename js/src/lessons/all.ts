// All kinds of parts.

import { choice } from "./choice.js";
import { addKind } from "./kinds.js";

addKind("choice", choice);
