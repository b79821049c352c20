// Checks a log that was written by somebody else: its checkpoint, tiles, entries and proofs.
//
// What it believes is golang.org/x/mod/sumdb and filippo.io/torchwood, which know nothing of us.
// Usage: check FOLDER LOG-VKEY [WITNESS-NAME WITNESS-SEED-IN-HEX]
package main

import (
	"crypto/ed25519"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"filippo.io/torchwood"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

type folder string

func (f folder) Height() int { return torchwood.TileHeight }

func (f folder) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	var found [][]byte
	for _, tile := range tiles {
		content, err := os.ReadFile(filepath.Join(string(f), torchwood.TilePath(tile)))
		if err != nil {
			return nil, err
		}
		found = append(found, content)
	}
	return found, nil
}

func (f folder) SaveTiles([]tlog.Tile, [][]byte) {}

type inclusion struct {
	Index  int64
	Size   int64
	Hashes [][]byte
}

type consistency struct {
	From   int64
	To     int64
	Hashes [][]byte
}

func must[T any](value T, err error) T {
	check(err)
	return value
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func verifiers(arguments []string) note.Verifiers {
	known := []note.Verifier{must(note.NewVerifier(arguments[0]))}
	if len(arguments) > 1 {
		key := ed25519.NewKeyFromSeed(must(hex.DecodeString(arguments[2])))
		known = append(known, must(torchwood.NewCosignatureSigner(arguments[1], key)).Verifier())
	}
	return note.VerifierList(known...)
}

func hashes(found [][]byte) []tlog.Hash {
	result := []tlog.Hash{}
	for _, each := range found {
		result = append(result, tlog.Hash(each))
	}
	return result
}

func main() {
	log := folder(os.Args[1])
	known := verifiers(os.Args[2:])
	opened := must(note.Open(must(os.ReadFile(filepath.Join(string(log), "checkpoint"))), known))
	checkpoint := must(torchwood.ParseCheckpoint(opened.Text))
	reader := tlog.TileHashReader(checkpoint.Tree, log)

	for first := int64(0); first < checkpoint.N; first += torchwood.TileWidth {
		width := min(checkpoint.N-first, torchwood.TileWidth)
		tile := tlog.Tile{H: torchwood.TileHeight, L: -1, N: first / torchwood.TileWidth, W: int(width)}
		bundle := must(log.ReadTiles([]tlog.Tile{tile}))[0]
		for index := first; index < first+width; index++ {
			entry, rest, err := torchwood.ReadTileEntry(bundle)
			check(err)
			bundle = rest
			stored := must(reader.ReadHashes([]int64{tlog.StoredHashIndex(0, index)}))[0]
			if tlog.RecordHash(entry) != stored {
				check(fmt.Errorf("entry %d is not what its tile says", index))
			}
		}
		if len(bundle) > 0 {
			check(fmt.Errorf("entries from %d on are more than %d", first, width))
		}
	}

	var included []inclusion
	check(json.Unmarshal(must(os.ReadFile(filepath.Join(string(log), "inclusion.json"))), &included))
	for _, each := range included {
		theirs := hashes(each.Hashes)
		if !slices.Equal(must(tlog.ProveRecord(each.Size, each.Index, reader)), theirs) {
			check(fmt.Errorf("leaf %d of %d is proven otherwise", each.Index, each.Size))
		}
		stored := must(reader.ReadHashes([]int64{tlog.StoredHashIndex(0, each.Index)}))[0]
		root := must(tlog.TreeHash(each.Size, reader))
		check(tlog.CheckRecord(theirs, each.Size, root, each.Index, stored))
	}

	var consistent []consistency
	check(json.Unmarshal(must(os.ReadFile(filepath.Join(string(log), "consistency.json"))), &consistent))
	for _, each := range consistent {
		theirs := hashes(each.Hashes)
		from, to := must(tlog.TreeHash(each.From, reader)), must(tlog.TreeHash(each.To, reader))
		check(tlog.CheckTree(theirs, each.To, to, each.From, from))
	}
	fmt.Printf(
		"%d entries, %d signatures, %d and %d proofs\n",
		checkpoint.N, len(opened.Sigs), len(included), len(consistent),
	)
}
