import { join } from 'node:path'

/** The folder that everything was transpiled into, this file included; laid out as the project. */
export const BUILD = join(import.meta.dirname, '../..')
