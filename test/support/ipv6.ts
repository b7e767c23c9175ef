import { networkInterfaces } from 'node:os'

/** Options of a test at an address of IPv6. */
export const needsIpv6 = Object.values(networkInterfaces()).flat().some((found) => found?.family === 'IPv6') ? {} : { skip: 'this machine has no IPv6' }
