type Members = Record<string, unknown>

const list = (one: string, bytes: number) => `[${Array.from({ length: Math.floor(bytes / (one.length + 1)) }, () => one).join()}]`
const unknown = (count: number, name: (index: number) => string) => Object.fromEntries(Array.from({ length: count }, (_, index) => [name(index), 0]))
const nested = (open: string, close: string, bytes: number) => open.repeat(bytes / (open.length + close.length)) + close.repeat(bytes / (open.length + close.length))
/** 12 bytes and more in JSON */
const short = (index: number) => `m${String(index).padStart(5, '0')}`

/** Texts of about so many characters that make naive checks slow: each kind has cost somebody a service. */
function texts (length: number): Record<string, string> {
  const half = length / 2
  return {
    'marks in the wrong order': `a${'\u0301\u0323'.repeat(length / 4)}`, // two bytes each
    blanks: `${' '.repeat(length)}x`,
    'blanks alone': ' '.repeat(length),
    'an address without end': `${'a@'.repeat(half)}`,
    'dots and an at': `${'a.'.repeat(half - 1)}@`,
    'labels without end': `a@${'a-'.repeat(half - 2)}.`,
    digits: '1'.repeat(length),
    brackets: '+1' + ' ('.repeat(half - 1),
    'controls, escaped': '\u0000'.repeat(length / 6),
    'half surrogates, escaped': '\ud800'.repeat(length / 6)
  }
}

/** Bodies of about so many bytes for a route that takes such a good one; what they aim at, and their text. */
export function hostileBodies (good: Members | Members[], bytes: number): Map<string, string> {
  const bodies = new Map<string, string>()
  const one = Array.isArray(good) ? good[0]! : good
  const put = (name: string, text: string) => {
    bodies.set(name, Array.isArray(good) ? `[${text}]` : text)
  }
  put('unknown members', JSON.stringify({ ...one, ...unknown(Math.floor((bytes - 300) / 11), short) }))
  put('unknown members of long names', JSON.stringify({ ...one, ...unknown(45, (index) => '\u0001'.repeat((bytes - 500) / 45 / 6 - 2) + index) }))
  put('lists in lists', nested('[', ']', bytes))
  put('objects in objects', nested('{"a":', '}', bytes).replace('}', '1}').slice(0, bytes))
  put('a member nested without end', JSON.stringify({ ...one, deep: '@' }).replace('"@"', nested('[', ']', bytes - 300)))
  put('a prototype far inside', JSON.stringify({ ...one, deep: '@' }).replace('"@"', `${'['.repeat(bytes / 2 - 300)}{"__proto__":1}${']'.repeat(bytes / 2 - 300)}`))
  put('prototypes without end', `[${Array.from({ length: bytes / 20 }, () => '{"__proto":{"a":1}}').join()}]`)
  put('objects, each with a member of a new name', `[${Array.from({ length: bytes / 14 }, (_, index) => `{"${short(index)}":{}}`).join()}]`)
  put('constructors without end', `[${Array.from({ length: bytes / 20 }, () => '{"constructor":{}}').join()}]`)
  put('a constructor before a list of nothing', `[{"constructor":{}},${list('[]', bytes - 30)}]`)
  put('one member again and again', `{${Array.from({ length: Math.floor(bytes / 8) }, () => '"a":[1]').join()}}`)
  for (const [name, value] of Object.entries(one)) {
    if (typeof value === 'number') put(`a number without end for ${name}`, JSON.stringify({ ...one, [name]: '@' }).replace('"@"', '9'.repeat(bytes - 300)))
    for (const [kind, text] of Object.entries(texts(bytes - 400))) put(`${kind} for ${name}`, JSON.stringify({ ...one, [name]: text }))
  }
  bodies.set('a list of nothing', list('0', bytes))
  bodies.set('a list of empty objects', list('{}', bytes))
  bodies.set('a list of 500, each with unknown members', JSON.stringify(Array.from({ length: 500 }, () => unknown(Math.floor(bytes / 500 / 11) - 1, short))))
  bodies.set('a list of 500, each with as many as are looked at', list(JSON.stringify(unknown(49, (index) => index.toString(36))), Math.min(bytes, 500 * 290)))
  bodies.set('a list of lists', list('[0,0,0,0]', bytes))
  return bodies
}
