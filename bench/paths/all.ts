import { batches } from './batches.js'
import { drain } from './drain.js'
import { heard } from './heard.js'
import { list } from './list.js'
import { lone } from './lone.js'
import type { Path } from './path.js'
import { place } from './place.js'
import { read } from './read.js'
import { seen } from './seen.js'
import { signed } from './signed.js'
import { soak } from './soak.js'
import { tell } from './tell.js'
import { visible } from './visible.js'
import { webhooks } from './webhooks.js'

/** In the order in which they are measured. */
export const PATHS: readonly Path[] = [place, lone, batches, drain, visible, tell, heard, webhooks, read, list, seen, signed, soak]
