// Command operator upgrades clusters of PostgreSQL servers to another major
// version. It creates a new primary beside the old one, then its replicas one by
// one, and moves the clients at the end. Until then, the upgrade can be rolled
// back.
//
// It is an example of an operator on machine/controller: see README.md. It is
// not meant to be used with real databases.
package main
