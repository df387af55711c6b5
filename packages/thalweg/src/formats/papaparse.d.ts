/** The part of papaparse 5 that is used; the package brings no types. */
declare module 'papaparse' {
  interface ParseError {
    readonly type: string
    readonly code: string
    readonly message: string
  }
  interface ParseStep {
    readonly data: string[]
    readonly errors: readonly ParseError[]
  }
  interface ParseConfig {
    readonly delimiter?: string
    readonly preview?: number
    readonly skipEmptyLines?: boolean
    readonly step?: (result: ParseStep) => void
  }
  const papaparse: { parse(text: string, config: ParseConfig): { readonly meta: { readonly delimiter: string } } }
  export default papaparse
}
