// Package migration is the work of a migration, phase by phase. It does not
// change when a controller adopts the library: package before and package after
// both use it.
package migration
