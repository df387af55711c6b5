import { describe, expect, it } from 'vitest'
import { Sha256 } from './sha256.ts'

const ascii = (text: string): Uint8Array => Uint8Array.from(text, (c) => c.charCodeAt(0))
const hexOf = (text: string): string => new Sha256().update(ascii(text)).hex()

describe('Sha256', () => {
  // NIST, "Example values" for SHA-256 and FIPS 180-2 appendix B.
  it('agrees with the published examples', () => {
    expect(hexOf('')).toBe('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855')
    expect(hexOf('abc')).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad')
    expect(hexOf('abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq')).toBe(
      '248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1',
    )
    expect(hexOf('a'.repeat(1_000_000))).toBe('cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0')
  })

  it('pads every length modulo the block', () => {
    // SHA-256 of the concatenated digests of 'x' × 0 … 129, computed with Python's hashlib.
    const all = new Sha256()
    for (let n = 0; n < 130; n++) all.update(ascii(hexOf('x'.repeat(n))))
    expect(all.hex()).toBe('199af942eba7fa5d1e16d475169eb24018b14e69339c93d26a9ea6d873b4ace6')
  })

  it('does not depend on how the message is cut', () => {
    const message = Uint8Array.from({ length: 1000 }, (_, i) => (i * 37) & 255)
    const whole = new Sha256().update(message).hex()
    for (const step of [1, 7, 63, 64, 65, 200]) {
      const pieces = new Sha256()
      for (let i = 0; i < message.length; i += step) pieces.update(message.subarray(i, i + step))
      expect(pieces.hex()).toBe(whole)
    }
  })

  it('gives its digest once', () => {
    const hash = new Sha256()
    hash.hex()
    expect(() => hash.hex()).toThrow('already taken')
    expect(() => hash.update(ascii('a'))).toThrow('already taken')
  })
})
