import { webEngine } from '../src/web/index.ts'
import { describeOperators } from './engine-contract.ts'

describeOperators('WebAssembly', () => webEngine())
