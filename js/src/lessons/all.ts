// All kinds of parts.

import { choice } from "./choice.js";
import { exercise } from "./exercise.js";
import { header } from "./header.js";
import { hints } from "./hints.js";
import { addKind } from "./kinds.js";
import { number } from "./number.js";
import { order } from "./order.js";
import { point } from "./point.js";
import { predict } from "./predict.js";
import { promptsToTry } from "./prompts-to-try.js";
import { quiz } from "./quiz.js";
import { tour } from "./tour.js";

addKind("choice", choice);
addKind("number", number);
addKind("order", order);
addKind("exercise", exercise);
addKind("point", point);
addKind("predict", predict);
addKind("prompts", promptsToTry);
addKind("tour", tour);
addKind("quiz", quiz);
addKind("hints", hints);
addKind("lesson", header);
