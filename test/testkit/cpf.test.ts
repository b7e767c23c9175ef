import t from 'tap'
import { cpfOf, newCpf } from '../../testkit/cpf.js'

t.test('check digits are those of the definition', async (t) => {
  t.equal(cpfOf(529_982_247), '52998224725')
  t.equal(cpfOf(1), '00000000191')
})

t.test('a new one has eleven digits, not all the same', async (t) => {
  for (let times = 0; times < 100; times++) t.match(newCpf(), /^(?!(\d)\1{10}$)\d{11}$/)
})
