package main

func Example() {
	main()
	// Output: [Validate Snapshot Upload] [Prepare Volumes Upload] needs HasHook
}
