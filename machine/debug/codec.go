package debug

import (
	"bytes"
	"encoding/binary"
	"reflect"
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/machine/runner"
	"github.com/konveyor/dynamic-pipeline/phases"
	"github.com/konveyor/dynamic-pipeline/steps"
)

// words are the texts that make up most of a history: the names in the itineraries. A
// history stores the number of a word instead of its text.
type words struct {
	numbers map[string]uint64
	texts   []string
}

func newWords(set *machine.Set) *words {
	w := &words{numbers: map[string]uint64{}}
	w.add("")
	for _, name := range set.Names() {
		g, err := set.Graph(name)
		if err != nil {
			continue
		}
		w.add(name, g.Hash(), string(g.Result()))
		w.add(g.Steps()...)
		for _, flag := range g.Vocabulary().Defs() {
			w.add(flag.Name)
		}
		for i := range g.Len() {
			p := g.Phase(i)
			w.add(p.Name, p.Description)
		}
	}
	w.add(steps.MessageNotStarted, steps.MessageContinues, steps.MessageCompleted, steps.MessageFailed, steps.MessageCanceled,
		string(runner.RetryHandler), string(runner.RetryFlags), string(runner.RetryOptions),
		string(runner.SwitchFailed), string(runner.SwitchSelected),
		string(phases.Succeeded), string(phases.Failed), string(phases.Canceled), string(phases.RolledBack))
	return w
}

func (w *words) add(texts ...string) {
	for _, text := range texts {
		if _, known := w.numbers[text]; !known {
			w.numbers[text] = uint64(len(w.texts))
			w.texts = append(w.texts, text)
		}
	}
}

// own returns a copy of a text that keeps nothing else in memory, and its size.
func (w *words) own(text string) (string, int) {
	if n, known := w.numbers[text]; known {
		return w.texts[n], 0
	}
	return strings.Clone(text), allocated(len(text))
}

// allocated returns the size of an allocation: the allocator rounds up to size classes,
// most of them 16 bytes apart.
func allocated(size int) int { return (size + 15) &^ 15 }

// encoder writes the parts of a history. It finds the differences between states by
// reflection, so no field of a state can be forgotten.
type encoder struct {
	words *words
	// base is the second that times are relative to.
	base int64
	buf  []byte
	// weight is the memory that the copies made by change take, minus what they replaced.
	weight int
}

// maxBuffer is the largest buffer that an encoder keeps.
const maxBuffer = 64 << 10

func (e *encoder) reset(base int64) {
	e.base, e.weight = base, 0
	if e.buf = e.buf[:0]; cap(e.buf) > maxBuffer {
		e.buf = nil
	}
}

func (e *encoder) number(n int64) { e.buf = binary.AppendVarint(e.buf, n) }
func (e *encoder) count(n int)    { e.buf = binary.AppendUvarint(e.buf, uint64(n)) }
func (e *encoder) mark(yes bool)  { e.buf = append(e.buf, bit(yes)) }
func (e *encoder) time(t time.Time) {
	e.number(t.Unix() - e.base)
	e.count(t.Nanosecond())
}

// text writes a text, or the number of a word.
func (e *encoder) text(s string) {
	if n, known := e.words.numbers[s]; known {
		e.buf = binary.AppendUvarint(e.buf, n<<1|1)
		return
	}
	e.buf = binary.AppendUvarint(e.buf, uint64(len(s))<<1)
	e.buf = append(e.buf, s...)
}

func bit(yes bool) byte {
	if yes {
		return 1
	}
	return 0
}

// The previous value of a pointer or a slice.
const (
	wasNil     = iota // a nil pointer
	wasOther          // the value or elements follow
	wasSimilar        // the differences follow
)

var (
	timeType     = reflect.TypeFor[metav1.Time]()
	textsType    = reflect.TypeFor[[]string]()
	pipelineType = reflect.TypeFor[steps.Pipeline]()
)

func timeAt(v reflect.Value) *metav1.Time { return v.Addr().Interface().(*metav1.Time) }

// change makes v a copy of to that shares nothing with it, and writes how to undo that.
// It reports whether they differed; if not, it writes nothing.
func (e *encoder) change(v, to reflect.Value) (changed bool) {
	switch v.Kind() {
	case reflect.Bool:
		changed = v.Bool() != to.Bool()
	case reflect.Int64:
		changed = v.Int() != to.Int()
	case reflect.String:
		changed = v.String() != to.String()
	case reflect.Struct:
		if v.Type() == timeType {
			changed = !timeAt(v).Equal(timeAt(to))
			break
		}
		for i := range v.NumField() {
			changed = e.part(i, v.Field(i), to.Field(i)) || changed
		}
		if changed {
			e.count(0)
		}
		return changed
	case reflect.Pointer:
		if v.IsNil() || to.IsNil() {
			changed = v.IsNil() != to.IsNil()
			break
		}
		start := len(e.buf)
		e.count(wasSimilar)
		if changed = e.change(v.Elem(), to.Elem()); !changed {
			e.buf = e.buf[:start]
		}
		return changed
	case reflect.Slice:
		if v.Len() != to.Len() {
			e.resize(v, to)
			return true
		}
		start := len(e.buf)
		elements := elementsOf(v, to)
		e.count(wasSimilar)
		for i := range v.Len() {
			changed = !elements.same(i) && e.part(i, v.Index(i), to.Index(i)) || changed
		}
		if !changed {
			e.buf = e.buf[:start]
			return false
		}
		e.count(0)
		return true
	}
	if changed {
		e.put(v)
		e.copy(v, to)
	}
	return changed
}

// elements are two slices whose elements are compared without reflection. They make up
// most of a state, and reflection is slow.
type elements struct {
	texts, toTexts []string
	steps, toSteps steps.Pipeline
}

func elementsOf(v, to reflect.Value) (e elements) {
	switch v.Type() {
	case textsType:
		e.texts, e.toTexts = *v.Addr().Interface().(*[]string), *to.Addr().Interface().(*[]string)
	case pipelineType:
		e.steps, e.toSteps = *v.Addr().Interface().(*steps.Pipeline), *to.Addr().Interface().(*steps.Pipeline)
	}
	return e
}

// same reports whether the elements at an index are equal. It is false for types that it
// does not compare.
func (e *elements) same(i int) bool {
	switch {
	case e.texts != nil:
		return e.texts[i] == e.toTexts[i]
	case e.steps != nil:
		return sameStep(&e.steps[i], &e.toSteps[i])
	}
	return false
}

func sameStep(a, b *steps.Step) bool {
	return a.Name == b.Name && a.Phase == b.Phase && a.Message == b.Message && a.Failed == b.Failed && a.Skipped == b.Skipped &&
		a.Started.Equal(b.Started) && a.Completed.Equal(b.Completed) && slices.Equal(a.Progress, b.Progress)
}

// part changes a field or an element.
func (e *encoder) part(i int, v, to reflect.Value) bool {
	start := len(e.buf)
	e.count(i + 1)
	if e.change(v, to) {
		return true
	}
	e.buf = e.buf[:start]
	return false
}

// resize changes a slice to one of another length. The common prefix and suffix stay.
func (e *encoder) resize(v, to reflect.Value) {
	n, m := v.Len(), to.Len()
	first, last := 0, 0
	for first < min(n, m) && e.same(v.Index(first), to.Index(first)) {
		first++
	}
	for last < min(n, m)-first && e.same(v.Index(n-1-last), to.Index(m-1-last)) {
		last++
	}
	e.count(wasOther)
	e.count(first)
	e.count(last)
	e.count(n - first - last)
	for i := first; i < n-last; i++ {
		e.put(v.Index(i))
	}
	is := reflect.MakeSlice(v.Type(), m, m)
	reflect.Copy(is, v.Slice(0, first))
	for i := first; i < m-last; i++ {
		e.copy(is.Index(i), to.Index(i))
	}
	reflect.Copy(is.Slice(m-last, m), v.Slice(n-last, n))
	size := int(v.Type().Elem().Size())
	e.weight += allocated(m*size) - allocated(n*size)
	v.Set(is)
}

// same reports whether two values are equal.
func (e *encoder) same(a, b reflect.Value) bool {
	start, weight := len(e.buf), e.weight
	e.put(a)
	middle := len(e.buf)
	e.put(b)
	same := bytes.Equal(e.buf[start:middle], e.buf[middle:])
	e.buf, e.weight = e.buf[:start], weight
	return same
}

// put writes a value that the copy no longer has.
func (e *encoder) put(v reflect.Value) {
	switch v.Kind() {
	case reflect.Bool:
		e.mark(v.Bool())
	case reflect.Int64:
		e.number(v.Int())
	case reflect.String:
		start := len(e.buf)
		e.text(v.String())
		if e.buf[start]&1 == 0 {
			e.weight -= allocated(v.Len())
		}
	case reflect.Struct:
		if v.Type() == timeType {
			e.time(timeAt(v).Time)
			return
		}
		for i := range v.NumField() {
			if field := v.Field(i); !field.IsZero() {
				e.count(i + 1)
				e.put(field)
			}
		}
		e.count(0)
	case reflect.Pointer:
		if v.IsNil() {
			e.count(wasNil)
			return
		}
		e.count(wasOther)
		e.put(v.Elem())
		e.weight -= allocated(int(v.Type().Elem().Size()))
	case reflect.Slice:
		e.count(v.Len())
		for i := range v.Len() {
			e.put(v.Index(i))
		}
		e.weight -= allocated(v.Len() * int(v.Type().Elem().Size()))
	}
}

// copy makes a deep copy of a value.
func (e *encoder) copy(v, from reflect.Value) {
	switch v.Kind() {
	case reflect.String:
		text, size := e.words.own(from.String())
		v.SetString(text)
		e.weight += size
	case reflect.Struct:
		if v.Type() == timeType {
			timeAt(v).Time = timeAt(from).UTC() // without a location
			return
		}
		for i := range v.NumField() {
			e.copy(v.Field(i), from.Field(i))
		}
	case reflect.Pointer:
		if from.IsNil() {
			v.SetZero()
			return
		}
		v.Set(reflect.New(v.Type().Elem()))
		e.copy(v.Elem(), from.Elem())
		e.weight += allocated(int(v.Type().Elem().Size()))
	case reflect.Slice:
		n := from.Len()
		if n == 0 {
			v.SetZero()
			return
		}
		v.Set(reflect.MakeSlice(v.Type(), n, n))
		for i := range n {
			e.copy(v.Index(i), from.Index(i))
		}
		e.weight += allocated(n * int(v.Type().Elem().Size()))
	default:
		v.Set(from)
	}
}

// decoder reads what an encoder has written.
type decoder struct {
	words *words
	base  int64
	buf   []byte
}

func (d *decoder) number() int64 {
	n, size := binary.Varint(d.buf)
	d.buf = d.buf[size:]
	return n
}

func (d *decoder) count() int {
	n, size := binary.Uvarint(d.buf)
	d.buf = d.buf[size:]
	return int(n)
}

func (d *decoder) is() bool {
	is := d.buf[0] == 1
	d.buf = d.buf[1:]
	return is
}

func (d *decoder) time() time.Time {
	seconds := d.number() + d.base
	return time.Unix(seconds, int64(d.count())).UTC()
}

func (d *decoder) text() string {
	n := d.count()
	if n&1 == 1 {
		return d.words.texts[n>>1]
	}
	text := string(d.buf[:n>>1])
	d.buf = d.buf[n>>1:]
	return text
}

// back undoes a change of a value.
func (d *decoder) back(v reflect.Value) {
	switch v.Kind() {
	case reflect.Struct:
		if v.Type() == timeType {
			break
		}
		for i := d.count(); i > 0; i = d.count() {
			d.back(v.Field(i - 1))
		}
		return
	case reflect.Pointer:
		switch d.count() {
		case wasNil:
			v.SetZero()
		case wasOther:
			v.Set(reflect.New(v.Type().Elem()))
			d.get(v.Elem())
		case wasSimilar:
			d.back(v.Elem())
		}
		return
	case reflect.Slice:
		if d.count() == wasSimilar {
			for i := d.count(); i > 0; i = d.count() {
				d.back(v.Index(i - 1))
			}
			return
		}
		first, last, middle := d.count(), d.count(), d.count()
		n := first + middle + last
		was := reflect.MakeSlice(v.Type(), n, n)
		reflect.Copy(was, v.Slice(0, first))
		for i := range middle {
			d.get(was.Index(first + i))
		}
		reflect.Copy(was.Slice(n-last, n), v.Slice(v.Len()-last, v.Len()))
		if v.Set(was); n == 0 {
			v.SetZero()
		}
		return
	}
	d.get(v)
}

// get reads a value into v, which must be zero.
func (d *decoder) get(v reflect.Value) {
	switch v.Kind() {
	case reflect.Bool:
		v.SetBool(d.is())
	case reflect.Int64:
		v.SetInt(d.number())
	case reflect.String:
		v.SetString(d.text())
	case reflect.Struct:
		if v.Type() == timeType {
			timeAt(v).Time = d.time()
			return
		}
		for i := d.count(); i > 0; i = d.count() {
			d.get(v.Field(i - 1))
		}
	case reflect.Pointer:
		if d.count() == wasOther {
			v.Set(reflect.New(v.Type().Elem()))
			d.get(v.Elem())
		}
	case reflect.Slice:
		if n := d.count(); n > 0 {
			v.Set(reflect.MakeSlice(v.Type(), n, n))
			for i := range n {
				d.get(v.Index(i))
			}
		}
	}
}
