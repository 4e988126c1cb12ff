// Package world plays all that works beside a migration controller: it
// completes tasks as Velero completes backups, runs stage pods as a kubelet
// does, and looks at plans anew.
package world
