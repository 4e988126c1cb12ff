// Command quickstart plans a backup before it runs. It is the example of the
// README: copy main.go into a module of your own to begin with.
package main
