import { serveTasks } from './serve-tasks.ts'
import { taskKinds } from './task-kinds.ts'

/* The program of a process that does tasks. */

serveTasks(taskKinds)
