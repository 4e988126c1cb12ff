package debug

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"
)

const (
	// heartbeat is the interval between writes to an idle stream. It keeps proxies from
	// closing the stream, and detects clients that are gone.
	heartbeat = 15 * time.Second
	// lifetime is the duration of a stream. Its client then opens the next one, and so is
	// authenticated again from time to time.
	lifetime = 10 * time.Minute
	// writeTimeout bounds each write to a stream, so a client that does not read holds no
	// resources.
	writeTimeout = 10 * time.Second
	// pace is the minimum time between two events of a stream.
	pace = 250 * time.Millisecond
)

// events streams an event whenever the named run changes, or any run if the query names
// none. Events carry no data: the client requests its page again.
func (h *handler) events(w http.ResponseWriter, r *http.Request, q query) error {
	var name *Name
	if q.has("name") {
		n := parseName(q.get("name"), q.get("item"))
		name = &n
	}
	if !h.open() {
		w.Header().Set("Retry-After", "30")
		return &requestError{status: unavailable,
			Message: fmt.Sprintf("%d streams are open, and no more are allowed; poll the page instead", max(h.o.MaxStreams, 0))}
	}
	defer h.close()
	w.Header().Set("Content-Type", "text/event-stream; charset=utf-8")
	w.Header().Set("X-Accel-Buffering", "no") // for proxies
	if r.Method == http.MethodHead {
		return nil
	}
	ctx, cancel := context.WithTimeout(r.Context(), h.lifetime)
	defer cancel()
	changes := h.recorder.Watch(ctx, name)
	s := stream{w: w, control: http.NewResponseController(w), timeout: h.writeTimeout}
	if s.send("retry: 5000\n: open\n\n") != nil {
		return nil
	}
	down := h.shutdown(r)
	beat := time.NewTicker(h.heartbeat)
	defer beat.Stop()
	for {
		var err error
		select {
		case <-ctx.Done():
			return nil
		case <-down:
			return nil
		case <-beat.C:
			err = s.send(": beat\n\n")
		case _, ok := <-changes:
			if !ok {
				return nil
			}
			if err = s.send("data: changed\n\n"); err == nil {
				wait := time.NewTimer(pace)
				select {
				case <-wait.C:
				case <-ctx.Done():
				case <-down:
				}
				wait.Stop()
			}
		}
		if err != nil {
			return nil // the client is gone
		}
	}
}

// open reserves one of the streams, and reports whether one was free.
func (h *handler) open() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.streams >= h.o.MaxStreams {
		return false
	}
	h.streams++
	return true
}

func (h *handler) close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.streams--
}

// shutdown returns a channel that is closed when the server of a request shuts down. The
// server waits for all requests, and a stream would otherwise delay it. The channel is
// nil if the server is unknown.
func (h *handler) shutdown(r *http.Request) <-chan struct{} {
	server, ok := r.Context().Value(http.ServerContextKey).(*http.Server)
	if !ok {
		return nil
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if down, ok := h.servers[server]; ok {
		return down
	}
	down := make(chan struct{})
	h.servers[server] = down
	server.RegisterOnShutdown(func() { close(down) })
	return down
}

// stream writes events.
type stream struct {
	w       io.Writer
	control *http.ResponseController
	timeout time.Duration
}

func (s stream) send(text string) error {
	if err := s.deadline(time.Now().Add(s.timeout)); err != nil {
		return err
	}
	if _, err := io.WriteString(s.w, text); err != nil {
		return err
	}
	if err := s.control.Flush(); err != nil {
		return err
	}
	// Clear the deadline until the next write. Over HTTP/2 it would end an idle stream,
	// and so would the server's WriteTimeout.
	return s.deadline(time.Time{})
}

func (s stream) deadline(at time.Time) error {
	if err := s.control.SetWriteDeadline(at); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return err
	}
	return nil
}
