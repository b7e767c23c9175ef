import t from 'tap'
import { isCpf, maskedCpf } from '../../src/users/cpf.js'
import { canonicalName } from '../../src/users/user.js'
import { newCpf } from '../../testkit/cpf.js'

// Well-known examples; some have a 0 among their check digits, where a rest of 10 counts as 0.
const KNOWN = ['52998224725', '11144477735', '12345678909', '00000000191', '39053344705', '28625587887']

t.test('a CPF with right check digits is one', async (t) => {
  for (const cpf of KNOWN) t.ok(isCpf(cpf), cpf)
  for (let round = 0; round < 500; round++) {
    const cpf = newCpf() // computed by the definition, not by the code under test
    if (!isCpf(cpf)) t.fail(cpf)
  }
})

t.test('either check digit being wrong is noticed', async (t) => {
  for (const cpf of KNOWN) {
    for (const place of [9, 10]) {
      for (let digit = 0; digit <= 9; digit++) {
        const other = cpf.slice(0, place) + String(digit) + cpf.slice(place + 1)
        if (isCpf(other) !== (other === cpf)) t.fail(`${other} beside ${cpf}`)
      }
    }
  }
  t.notOk(isCpf('25998224725'), 'two digits changed places')
})

t.test('of all hundred pairs of check digits one is right', async (t) => {
  for (const cpf of KNOWN) {
    const pairs = Array.from({ length: 100 }, (_, pair) => String(pair).padStart(2, '0'))
    t.strictSame(pairs.filter((pair) => isCpf(cpf.slice(0, 9) + pair)), [cpf.slice(9)])
  }
})

t.test('eleven equal digits pass the arithmetic and are no CPF', async (t) => {
  for (let digit = 0; digit <= 9; digit++) t.notOk(isCpf(String(digit).repeat(11)))
})

t.test('a masked CPF shows six of its digits', async (t) => {
  t.equal(maskedCpf('52998224725'), '***.982.247-**')
})

t.test('anything but eleven ASCII digits is no CPF', async (t) => {
  const bad: Record<string, string> = {
    'the usual mask': '529.982.247-25',
    'a letter': '5299822472O',
    'letters for digits': 'SZ998224725',
    'Arabic digits': '٥٢٩٩٨٢٢٤٧٢٥',
    'full width digits': '５２９９８２２４７２５',
    'ten digits': '5299822472',
    'twelve digits': '529982247250',
    twice: '5299822472552998224725',
    nothing: '',
    'white space before': ' 52998224725',
    'a line break behind': '52998224725\n',
    'white space for a zero': '0000000 191',
    'a sign': '+2998224725',
    'an exponent': '5299822472e'
  }
  for (const [name, text] of Object.entries(bad)) t.notOk(isCpf(text), name)
})

t.test('names that look the same are the same', async (t) => {
  t.equal(canonicalName('Jose\u0301'), 'José')
  t.equal(canonicalName('José'), 'José')
  t.equal(canonicalName('\u212b'), 'Å', 'the Ångström sign')
  t.not(canonicalName('jose'), canonicalName('josé'))
  t.equal(canonicalName('ana🌺'), 'ana🌺')
})

t.test('a ligature is not taken apart: NFC, not NFKC', async (t) => {
  t.equal(canonicalName('ﬁ'), 'ﬁ')
})
