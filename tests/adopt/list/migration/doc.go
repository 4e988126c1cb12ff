// Package migration is the work of a migration, phase by phase. It stays as it
// is when a controller adopts the library: package before and package after
// both use it.
package migration
