// Command controller runs the example as a process of its own.
package main
