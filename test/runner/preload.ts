/** Loaded before each test file: it ends when the runner is gone, however it went, and by its own ends what it started. */
process.on('disconnect', () => process.exit(1))
process.channel?.unref()
// What a test forks is no test file: `fork` hands these arguments on.
process.execArgv.splice(process.execArgv.indexOf('--import'), 2)
