import { childEngine } from '../src/node/index.ts'
import { describeOperators } from './engine-contract.ts'

describeOperators('a child process', () => childEngine(), {}, 5)
