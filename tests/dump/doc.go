// Package dump tests the dumps of machine/dump with the programs that read
// them: Graphviz, mermaid, a browser and a JSON Schema validator. It is a
// module of its own, so that the root module needs none of them.
//
// Its package pages tests the pages of machine/debug in a browser, and its package
// sarif the reports of machine/verify by the published schema.
//
// The script install installs the programs; a test whose program is missing
// fails.
package dump
