import { drain } from './roads/drain.js'
import { place } from './roads/place.js'
import type { Road } from './road.js'

/** In the order in which they are played. */
export const ROADS: readonly Road[] = [place, drain]
