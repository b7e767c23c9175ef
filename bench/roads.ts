import { batches } from './roads/batches.js'
import { drain } from './roads/drain.js'
import { list } from './roads/list.js'
import { lone } from './roads/lone.js'
import { place } from './roads/place.js'
import { read } from './roads/read.js'
import { seen } from './roads/seen.js'
import { soak } from './roads/soak.js'
import { visible } from './roads/visible.js'
import type { Road } from './road.js'

/** In the order in which they are played. */
export const ROADS: readonly Road[] = [place, lone, batches, drain, visible, read, list, seen, soak]
