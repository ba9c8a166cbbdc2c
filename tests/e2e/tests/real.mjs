// SPDX-License-Identifier: Apache-2.0
import { real } from "../lib/target.mjs";
void real;
