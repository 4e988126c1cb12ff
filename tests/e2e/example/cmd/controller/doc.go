// Command controller runs the example as a process. It is meant for the
// end-to-end tests: its handlers do not move any data.
package main
