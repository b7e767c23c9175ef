/** Loaded before each test file: it ends when the runner is gone, however it went, and by its own ends what it started. */
process.on('disconnect', () => process.exit(1))
process.channel?.unref()
