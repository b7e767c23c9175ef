/** Entity tags and the preconditions over them: RFC 9110, sections 8.8.3 and 13.1. */
import type { Order } from '../orders/order.js'
import type { Precondition } from '../orders/precondition.js'

/**
 * While only accepted the representation differs from the persisted one of the same version, so its tag does too.
 */
export function entityTag ({ version, status }: Pick<Order, 'version' | 'status'>): string {
  return `"${version}${status === 'accepted' ? 'a' : ''}"`
}

const TAG = '(?:W/)?"[!#-~\\x80-\\xff]*"'
const EACH_TAG = new RegExp(TAG, 'g')
/** `*`, or a list of entity tags in which empty elements are allowed (section 5.6.1.2). */
export const TAG_LIST = `^[ \\t]*(?:\\*|(?:,[ \\t]*)*${TAG}(?:[ \\t]*,(?:[ \\t]*${TAG})?)*)[ \\t]*$`

/** What proxies that compress make of a tag of ours: weak, or with the name of the encoding behind it (nginx, Apache, Jetty). */
const OURS = /^(?:W\/)?"((\d{1,10})a?)(?:[-+;:]{1,2}(?:gzip|br|zstd|deflate|df))?"$/

/** If-None-Match, by weak comparison: whether the client holds this very representation. */
export function matchesIfNoneMatch (ifNoneMatch: string, order: Order): boolean {
  return isAny(ifNoneMatch) || tagsOf(ifNoneMatch).some((tag) => `"${OURS.exec(tag)?.[1]}"` === entityTag(order))
}

/**
 * If-Match stands for versions alone, so that a client may build on the answer to its own placement although the order was
 * persisted since, and on one that a proxy compressed (deviations from the strong comparison of section 13.1.1).
 */
export function preconditionOf (ifMatch: string | undefined): Precondition {
  if (ifMatch === undefined) return null
  return isAny(ifMatch) ? 'any' : versionsOf(ifMatch)
}

function isAny (header: string): boolean {
  return header.trim() === '*'
}

function tagsOf (header: string): string[] {
  return header.match(EACH_TAG) ?? []
}

function versionsOf (header: string): number[] {
  return tagsOf(header).flatMap((tag) => {
    const version = OURS.exec(tag)?.[2]
    return version === undefined ? [] : [Number(version)]
  })
}
