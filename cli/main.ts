#!/usr/bin/env node
/** The executable `hn4`. */
import { main } from '../src/console/run.ts'
import { HN4 } from './commands.ts'

await main('hn4', HN4)
