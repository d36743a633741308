// All kinds of parts.

import { choice } from "./choice.js";
import { addKind } from "./kinds.js";
import { point } from "./point.js";
import { predict } from "./predict.js";
import { tour } from "./tour.js";

addKind("choice", choice);
addKind("point", point);
addKind("predict", predict);
addKind("tour", tour);
