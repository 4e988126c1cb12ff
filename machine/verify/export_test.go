package verify

// Update is the option of the tests to write the files that they compare with.
var Update = update
