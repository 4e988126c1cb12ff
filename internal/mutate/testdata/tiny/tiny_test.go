package tiny

import "testing"

func TestSmall(t *testing.T) {
	if Small(10) || !Small(9) {
		t.Error("the bound of Small is off")
	}
}

func TestSignal(t *testing.T) {
	done := make(chan struct{})
	Signal(done)
	<-done
}
