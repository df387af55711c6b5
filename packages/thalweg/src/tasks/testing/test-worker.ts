import { serveTasks } from '../serve-tasks.ts'
import { testKinds } from './test-kinds.ts'

serveTasks(testKinds)
