import { chmod, mkdir, mkdtemp, readFile, readdir, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DomainError } from '@thalweg/graph'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { makeFolder, writeFileAtomic } from './write-atomic.ts'

let folder = ''
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'thalweg-write-'))
})
afterEach(() => rm(folder, { recursive: true }))

describe('writeFileAtomic', () => {
  it('writes bytes and text, over an older file, leaving nothing else', async () => {
    const path = join(folder, 'a.bin')
    await writeFileAtomic(path, Uint8Array.of(1, 2, 3))
    expect(new Uint8Array(await readFile(path))).toEqual(Uint8Array.of(1, 2, 3))
    await writeFileAtomic(path, 'θ')
    expect(await readFile(path, 'utf8')).toBe('θ')
    await writeFileAtomic(path, new Uint8Array(0))
    expect((await readFile(path)).length).toBe(0)
    expect(await readdir(folder)).toEqual(['a.bin'])
  })

  it('never shows a reader a part of the file', async () => {
    const path = join(folder, 'a.bin')
    const contents = [1, 2].map((value) => new Uint8Array(300_000).fill(value))
    await writeFileAtomic(path, contents[0])
    let writing = true
    const writes = (async () => {
      for (let i = 0; i < 6; i++) await writeFileAtomic(path, contents[i % 2])
      writing = false
    })()
    while (writing) {
      const seen = await readFile(path)
      expect(seen.length).toBe(300_000)
      expect(seen[0]).toBe(seen[seen.length - 1])
    }
    await writes
  })

  it('keeps concurrent writers apart', async () => {
    const path = join(folder, 'a.txt')
    const texts = ['one', 'two', 'three', 'four']
    await Promise.all(texts.map((text) => writeFileAtomic(path, text)))
    expect(texts).toContain(await readFile(path, 'utf8'))
    expect(await readdir(folder)).toEqual(['a.txt'])
  })

  it('replaces a link instead of writing through it', async () => {
    await writeFile(join(folder, 'target'), 'old')
    await symlink(join(folder, 'target'), join(folder, 'link'))
    await writeFileAtomic(join(folder, 'link'), 'new')
    expect(await readFile(join(folder, 'target'), 'utf8')).toBe('old')
    expect(await readFile(join(folder, 'link'), 'utf8')).toBe('new')
  })

  it('refuses with the reason and leaves nothing behind', async () => {
    await mkdir(join(folder, 'directory'))
    await writeFile(join(folder, 'directory', 'inside'), '')
    await expect(writeFileAtomic(join(folder, 'directory'), 'x')).rejects.toThrow(DomainError)
    await expect(writeFileAtomic(join(folder, 'no', 'a'), 'x')).rejects.toThrow('the system refused, ENOENT')
    expect(await readdir(folder)).toEqual(['directory'])
    if (process.getuid?.() !== 0) {
      await chmod(folder, 0o500)
      await expect(writeFileAtomic(join(folder, 'a'), 'x')).rejects.toThrow('EACCES')
      await chmod(folder, 0o700)
    }
  })
})

describe('makeFolder', () => {
  it('makes a folder with those above it, and is content with one that exists', async () => {
    const path = join(folder, 'a', 'b')
    await makeFolder(path)
    await makeFolder(path)
    expect(await readdir(join(folder, 'a'))).toEqual(['b'])
  })

  it('says what the system refuses', async () => {
    await writeFile(join(folder, 'file'), '')
    await expect(makeFolder(join(folder, 'file', 'sub'))).rejects.toThrow(DomainError)
    await expect(makeFolder(join(folder, 'file', 'sub'))).rejects.toThrow(/sub: the folder cannot be made, ENOTDIR/)
  })
})
