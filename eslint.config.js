import neostandard, { plugins } from 'neostandard'

const tseslint = plugins['typescript-eslint']
const env = {
  selector: "MemberExpression[object.name='process'][property.name='env']",
  message: 'The environment is read in src/config.ts only (src/cli.ts hands it over).'
}

const logCall = {
  selector: "CallExpression[callee.property.name=/^(trace|debug|info|warn|error|fatal)$/]:matches([callee.object.name=/^log(ger)?$/], [callee.object.property.name='log'])",
  message: 'A line is logged by logLine, under its code in src/logs/catalogue.ts.'
}

export default [
  ...neostandard({ ts: true, ignores: ['dist/**', '.tap/**', '.local/**', 'bench/results/**', 'clients/*/src/**'] }),
  {
    files: ['**/*.ts', '**/*.tsx'],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    plugins: { 'typescript-eslint': tseslint.plugin },
    rules: {
      '@typescript-eslint/no-redeclare': 'off', // a TypeBox schema and its type carry one name
      camelcase: 'off', // data keeps the contract's snake_case from the HTTP body to the column
      'no-void': ['error', { allowAsStatement: true }],
      'typescript-eslint/no-floating-promises': ['error', {
        allowForKnownSafePromises: [{ from: 'package', name: 'PromiseWithSubtest', package: '@tapjs/core' }]
      }],
      'typescript-eslint/no-misused-promises': ['error', { checksVoidReturn: { arguments: false } }],
      'typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }],
      'typescript-eslint/no-import-type-side-effects': 'error',
      'typescript-eslint/switch-exhaustiveness-check': 'error',
      'typescript-eslint/only-throw-error': 'error'
    }
  },
  {
    files: ['console/**'],
    rules: { 'max-lines': ['error', 250], 'max-lines-per-function': ['error', 60], 'max-depth': ['error', 3], complexity: ['error', 12], 'react/jsx-handler-names': 'off' }
  },
  {
    files: ['src/**/*.ts', 'local/**/*.ts'],
    rules: {
      'max-lines': ['error', 250],
      'max-lines-per-function': ['error', 60],
      'max-depth': ['error', 3],
      complexity: ['error', 10],
      'no-console': 'error',
      'no-restricted-syntax': ['error', env, logCall]
    }
  },
  { files: ['src/cli.ts', 'src/commands/**', 'local/**'], rules: { 'no-console': 'off' } },
  { files: ['src/config.ts', 'src/cli.ts', 'local/**'], rules: { 'no-restricted-syntax': 'off' } }
]
