// Command style checks the language and the layout of the tracked files of a
// repository, which no linter at hand does: phrases that readers stumble over,
// "where" as a condition, lines and functions that are too long, and tests that
// are not named after what they test. It prints one line per problem and exits
// with 1 if there is any.
//
// Run it at the root of the repository:
//
//	go run ./internal/style
//
// It is not a spell checker, and it does not format code.
package main
