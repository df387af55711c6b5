import { nativeEngine } from '../src/node/index.ts'
import { describeOperators } from './engine-contract.ts'

describeOperators('the native CPU provider', async () => nativeEngine())
