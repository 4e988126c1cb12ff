package debug

import (
	"net/http"
	"time"
)

// Negotiate is negotiate with the media type for its result; empty for none.
func Negotiate(accept ...string) string {
	f := negotiate(accept)
	if f == noForm {
		return ""
	}
	return mediaTypes[f]
}

// ParseName and Object are how a name is written in a link.
var ParseName = parseName

// Object is the parameter "name" of a run.
func (n Name) Object() string { return n.object() }

// SetPace makes the streams of a handler beat, and end, after these times.
func SetPace(h http.Handler, heartbeat, lifetime time.Duration) {
	h.(*handler).heartbeat, h.(*handler).lifetime = heartbeat, lifetime
}

// Assets are the names of the files of all pages.
func Assets() []string { return []string{sheet.name, script.name, icon.name} }

// SetWriteTimeout sets how long a write to a stream of a handler may take.
func SetWriteTimeout(h http.Handler, d time.Duration) { h.(*handler).writeTimeout = d }
