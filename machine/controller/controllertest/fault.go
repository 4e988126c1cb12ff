package controllertest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"slices"
	"syscall"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// Kind is a kind of fault.
type Kind string

// The kinds of faults.
const (
	// Timeout, TooManyRequests and InternalError are answers of an API server that has
	// not carried out the request. NetworkError is an unreachable server.
	Timeout         Kind = "timeout"
	TooManyRequests Kind = "too-many-requests"
	InternalError   Kind = "internal-error"
	NetworkError    Kind = "network-error"
	// Conflict lets another client write first: it sets the label [Touched] of the
	// object. If the request has an optimistic lock, the API server answers with a
	// conflict; otherwise it carries the request out.
	Conflict Kind = "conflict"
	// AnswerLost is a request that is carried out but whose answer does not arrive.
	AnswerLost Kind = "answer-lost"
	// Slow is an answer that does not arrive before the context of the request ends. A
	// write is carried out.
	Slow Kind = "slow"
	// CrashBefore and CrashAfter end the controller before and after the request is
	// carried out: all its further requests fail with [ErrCrashed].
	CrashBefore Kind = "crash-before"
	CrashAfter  Kind = "crash-after"
	// StaleRead lets this read and the next two, if they are reads of a cache, return
	// the state before the last write of the controller.
	StaleRead Kind = "stale-read"
	// CrashStale is CrashAfter with a cache of the next controller that lags: its first
	// three reads are like those of StaleRead.
	CrashStale Kind = "crash-after-stale"
)

const (
	// staleReads is the number of reads of a cache that are behind, and lag is the
	// number of writes by which they are.
	staleReads = 3
	lag        = 1
	// maxLag is how long a cache is behind in a sweep.
	maxLag = 5 * time.Second
)

// Touched is the label that another client sets in a [Conflict].
const Touched = "controllertest.konveyor.io/touched"

// ErrCrashed is the error of all requests of a controller after its crash.
var ErrCrashed = errors.New("injected fault: the controller has crashed")

// Kinds returns all kinds, in the order in which [Sweep] injects them.
func Kinds() []Kind {
	return []Kind{Timeout, TooManyRequests, InternalError, NetworkError, Conflict, AnswerLost, Slow,
		CrashBefore, CrashAfter, StaleRead, CrashStale}
}

// fits reports whether a fault of this kind makes sense for a request.
func (k Kind) fits(r Request) bool {
	switch k {
	case Conflict:
		return slices.Contains([]string{"update", "patch", "delete"}, r.Verb)
	case AnswerLost, CrashBefore, CrashStale:
		return r.IsWrite() // for a read, the same as NetworkError and CrashAfter
	case StaleRead:
		return r.Cached && (r.Verb == "get" || r.Verb == "list")
	}
	return true
}

// crashes reports whether the fault ends the controller.
func (k Kind) crashes() bool { return k == CrashBefore || k == CrashAfter || k == CrashStale }

// Fault is a fault and the requests that meet it: the Nth of those that match Verb,
// Object and Subresource, or all of them if Nth is zero. A matching request that the kind
// does not fit, such as a read for Conflict or AnswerLost, counts but is not changed.
type Fault struct {
	Kind Kind
	// Verb is get, list, watch, create, update, patch, delete or deletecollection.
	// Object is the kind of the object, or of the objects in a list. If empty, they
	// match all.
	Verb, Object string
	// Subresource, such as status, matches only requests to that subresource. If empty,
	// requests to the object and to any subresource match.
	Subresource string
	// Nth is the number of the request among those that match, from 1.
	Nth int
}

// String returns the fault as text.
func (f Fault) String() string {
	which := "each request"
	if f.Nth > 0 {
		which = fmt.Sprintf("request %d", f.Nth)
	}
	for _, part := range []struct{ word, value string }{{"to", f.Verb}, {"of kind", f.Object}, {"of subresource", f.Subresource}} {
		if part.value != "" {
			which += " " + part.word + " " + part.value
		}
	}
	return fmt.Sprintf("%s: %s", which, f.Kind)
}

// matches reports whether f.Nth counts a request.
func (f Fault) matches(r Request) bool {
	return (f.Verb == "" || f.Verb == r.Verb) && (f.Object == "" || f.Object == r.Object) &&
		(f.Subresource == "" || f.Subresource == r.Subresource)
}

// Request is a request of a controller.
type Request struct {
	// N is its number, from 1, over all processes of the controller.
	N int
	// Verb, Object and Subresource are as in [Fault].
	Verb, Object, Subresource string
	// Namespace and Name are those of the object or the list; empty if unknown.
	Namespace, Name string
	// Cached reports whether a cache may answer it.
	Cached bool

	resource schema.GroupResource
}

// IsWrite reports whether the request changes something.
func (r Request) IsWrite() bool { return !slices.Contains([]string{"get", "list", "watch"}, r.Verb) }

// like reports whether a request of another life, in another namespace, is the same.
func (r Request) like(other Request) bool {
	other.Namespace = r.Namespace
	return r == other
}

// String returns the request as text, such as "patch Backup/status apps/shop".
func (r Request) String() string {
	text := r.Verb + " " + r.Object
	if r.Subresource != "" {
		text += "/" + r.Subresource
	}
	if r.Namespace != "" || r.Name != "" {
		text += " " + r.Namespace + "/" + r.Name
	}
	return text
}

// errorOf returns the error of a request that is not carried out.
func (k Kind) errorOf(ctx context.Context, r Request) error {
	switch k {
	case Timeout:
		return apierrors.NewServerTimeout(r.resource, r.Verb, 1)
	case TooManyRequests:
		return apierrors.NewTooManyRequests("injected fault", 1)
	case InternalError:
		return apierrors.NewInternalError(errors.New("injected fault"))
	case AnswerLost:
		return &url.Error{Op: r.Verb, URL: r.String(), Err: fmt.Errorf("injected fault: %w", io.ErrUnexpectedEOF)}
	case Slow:
		return fmt.Errorf("injected fault: %s: %w", r, hang(ctx))
	case CrashBefore, CrashAfter, CrashStale:
		return fmt.Errorf("%s: %w", r, ErrCrashed)
	}
	return &url.Error{Op: r.Verb, URL: r.String(), Err: &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}}
}
