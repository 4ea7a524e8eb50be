// Moment certificates, with every number and every assumption tampered with in turn.
// RUN: polyattn-opt %s --attn-verify-certificates --split-input-file --verify-diagnostics

func.func @right(%x: tensor<4096x64xf32>) -> tensor<4096x64xf32> {
  %c = attn.center_keys %x : tensor<4096x64xf32>
  %ok = attn.check_bound %x, %c scale 1.250000e-01 bound 0.60014648437499996 max_norm 0x41D0000000000000 second_moment 0.007900341161170013 mean 1.000000e-03 : tensor<4096x64xf32>, tensor<4096x64xf32>
  %o = scf.if %ok -> (tensor<4096x64xf32>) {
    %p = attn.attention %x, %c, %x scale 1.250000e-01 kernel poly<[1.0000464530906323, 1.0067541194582157]> bound <0.60014648437499996, declared>
       certificate <score_bound = 0.60014648437499996, kernel_error = 5.6771820453848783E-5, weight_change = 0.0096903812445357593, rounding_error = 5.371806534506866E-5, output_error = 0.0097440993098808301, max_keys = 4096, assumption = guarded,
                    moments = <second_moment = 0.007900341161170013, mean = 1.000000e-03, quadratic = 0.60548980548978082>>
       : tensor<4096x64xf32>, tensor<4096x64xf32>, tensor<4096x64xf32> -> tensor<4096x64xf32>
    scf.yield %p : tensor<4096x64xf32>
  } else {
    scf.yield %x : tensor<4096x64xf32>
  }
  return %o : tensor<4096x64xf32>
}

// -----

func.func @trusted(%x: tensor<4096x64xf32>) -> tensor<4096x64xf32> {
  %c = attn.center_keys %x : tensor<4096x64xf32>
  %ok = attn.check_bound %x, %x scale 1.250000e-01 bound 0.60014648437499996 max_norm 0x41D0000000000000 second_moment 0.007900341161170013 mean 1.000000e-03 : tensor<4096x64xf32>, tensor<4096x64xf32>
  %o = scf.if %ok -> (tensor<4096x64xf32>) {
    %p = attn.attention %x, %c, %x scale 1.250000e-01 kernel poly<[1.0000464530906323, 1.0067541194582157]> bound <0.60014648437499996, declared>
       certificate <score_bound = 0.60014648437499996, kernel_error = 5.6771820453848783E-5, weight_change = 0.0096903812445357593, rounding_error = 5.371806534506866E-5, output_error = 0.0097440993098808301, max_keys = 4096, assumption = trusted,
                    moments = <second_moment = 0.007900341161170013, mean = 1.000000e-03, quadratic = 0.60548980548978082>>
       : tensor<4096x64xf32>, tensor<4096x64xf32>, tensor<4096x64xf32> -> tensor<4096x64xf32>
    scf.yield %p : tensor<4096x64xf32>
  } else {
    scf.yield %x : tensor<4096x64xf32>
  }
  return %o : tensor<4096x64xf32>
}

// -----

func.func @constant(%x: tensor<4096x64xf32>) -> tensor<4096x64xf32> {
  %c = attn.center_keys %x : tensor<4096x64xf32>
  %ok = attn.check_bound %x, %c scale 1.250000e-01 bound 0.60014648437499996 max_norm 0x41D0000000000000 second_moment 0.007900341161170013 mean 1.000000e-03 : tensor<4096x64xf32>, tensor<4096x64xf32>
  %o = scf.if %ok -> (tensor<4096x64xf32>) {
    // expected-error @+2 {{certificate claims less kernel_error than can be proved}}
    // expected-note @+1 {{claimed}}
    %p = attn.attention %x, %c, %x scale 1.250000e-01 kernel poly<[1.0000464530906323, 1.0067541194582157]> bound <0.60014648437499996, declared>
       certificate <score_bound = 0.60014648437499996, kernel_error = 5.6204102249310296e-05, weight_change = 0.0096903812445357593, rounding_error = 5.371806534506866E-5, output_error = 0.0097440993098808301, max_keys = 4096, assumption = guarded,
                    moments = <second_moment = 0.007900341161170013, mean = 1.000000e-03, quadratic = 0.60548980548978082>>
       : tensor<4096x64xf32>, tensor<4096x64xf32>, tensor<4096x64xf32> -> tensor<4096x64xf32>
    scf.yield %p : tensor<4096x64xf32>
  } else {
    scf.yield %x : tensor<4096x64xf32>
  }
  return %o : tensor<4096x64xf32>
}

// -----

func.func @quadratic(%x: tensor<4096x64xf32>) -> tensor<4096x64xf32> {
  %c = attn.center_keys %x : tensor<4096x64xf32>
  %ok = attn.check_bound %x, %c scale 1.250000e-01 bound 0.60014648437499996 max_norm 0x41D0000000000000 second_moment 0.007900341161170013 mean 1.000000e-03 : tensor<4096x64xf32>, tensor<4096x64xf32>
  %o = scf.if %ok -> (tensor<4096x64xf32>) {
    // expected-error @+2 {{certificate claims less kernel_error than can be proved}}
    // expected-note @+1 {{claimed}}
    %p = attn.attention %x, %c, %x scale 1.250000e-01 kernel poly<[1.0000464530906323, 1.0067541194582157]> bound <0.60014648437499996, declared>
       certificate <score_bound = 0.60014648437499996, kernel_error = 5.6771820453848783E-5, weight_change = 0.0096903812445357593, rounding_error = 5.371806534506866E-5, output_error = 0.0097440993098808301, max_keys = 4096, assumption = guarded,
                    moments = <second_moment = 0.007900341161170013, mean = 1.000000e-03, quadratic = 0.5449408249408028>>
       : tensor<4096x64xf32>, tensor<4096x64xf32>, tensor<4096x64xf32> -> tensor<4096x64xf32>
    scf.yield %p : tensor<4096x64xf32>
  } else {
    scf.yield %x : tensor<4096x64xf32>
  }
  return %o : tensor<4096x64xf32>
}

// -----

func.func @second_moment(%x: tensor<4096x64xf32>) -> tensor<4096x64xf32> {
  %c = attn.center_keys %x : tensor<4096x64xf32>
  %ok = attn.check_bound %x, %c scale 1.250000e-01 bound 0.60014648437499996 max_norm 0x41D0000000000000 second_moment 0.007979344572781714 mean 1.000000e-03 : tensor<4096x64xf32>, tensor<4096x64xf32>
  %o = scf.if %ok -> (tensor<4096x64xf32>) {
    // expected-error @+2 {{certificate claims less weight_change than can be proved}}
    // expected-note @+1 {{claimed}}
    %p = attn.attention %x, %c, %x scale 1.250000e-01 kernel poly<[1.0000464530906323, 1.0067541194582157]> bound <0.60014648437499996, declared>
       certificate <score_bound = 0.60014648437499996, kernel_error = 5.6771820453848783E-5, weight_change = 0.0096903812445357593, rounding_error = 5.371806534506866E-5, output_error = 0.0097440993098808301, max_keys = 4096, assumption = guarded,
                    moments = <second_moment = 0.007979344572781714, mean = 1.000000e-03, quadratic = 0.60548980548978082>>
       : tensor<4096x64xf32>, tensor<4096x64xf32>, tensor<4096x64xf32> -> tensor<4096x64xf32>
    scf.yield %p : tensor<4096x64xf32>
  } else {
    scf.yield %x : tensor<4096x64xf32>
  }
  return %o : tensor<4096x64xf32>
}

// -----

func.func @mean(%x: tensor<4096x64xf32>) -> tensor<4096x64xf32> {
  %c = attn.center_keys %x : tensor<4096x64xf32>
  %ok = attn.check_bound %x, %c scale 1.250000e-01 bound 0.60014648437499996 max_norm 0x41D0000000000000 second_moment 0.007900341161170013 mean 1.000000e-03 : tensor<4096x64xf32>, tensor<4096x64xf32>
  %o = scf.if %ok -> (tensor<4096x64xf32>) {
    // expected-error @+2 {{certificate claims less weight_change than can be proved}}
    // expected-note @+1 {{claimed}}
    %p = attn.attention %x, %c, %x scale 1.250000e-01 kernel poly<[1.0000464530906323, 1.0067541194582157]> bound <0.60014648437499996, declared>
       certificate <score_bound = 0.60014648437499996, kernel_error = 5.6771820453848783E-5, weight_change = 0.0096903812445357593, rounding_error = 5.371806534506866E-5, output_error = 0.0097440993098808301, max_keys = 4096, assumption = guarded,
                    moments = <second_moment = 0.007900341161170013, mean = 0.01, quadratic = 0.60548980548978082>>
       : tensor<4096x64xf32>, tensor<4096x64xf32>, tensor<4096x64xf32> -> tensor<4096x64xf32>
    scf.yield %p : tensor<4096x64xf32>
  } else {
    scf.yield %x : tensor<4096x64xf32>
  }
  return %o : tensor<4096x64xf32>
}

// -----

func.func @rounding(%x: tensor<4096x64xf32>) -> tensor<4096x64xf32> {
  %c = attn.center_keys %x : tensor<4096x64xf32>
  %ok = attn.check_bound %x, %c scale 1.250000e-01 bound 0.60014648437499996 max_norm 0x41D0000000000000 second_moment 0.007900341161170013 mean 1.000000e-03 : tensor<4096x64xf32>, tensor<4096x64xf32>
  %o = scf.if %ok -> (tensor<4096x64xf32>) {
    // expected-error @+2 {{certificate claims less rounding_error than can be proved}}
    // expected-note @+1 {{claimed}}
    %p = attn.attention %x, %c, %x scale 1.250000e-01 kernel poly<[1.0000464530906323, 1.0067541194582157]> bound <0.60014648437499996, declared>
       certificate <score_bound = 0.60014648437499996, kernel_error = 5.6771820453848783E-5, weight_change = 0.0096903812445357593, rounding_error = 5.3180884691617974e-05, output_error = 0.0097440993098808301, max_keys = 4096, assumption = guarded,
                    moments = <second_moment = 0.007900341161170013, mean = 1.000000e-03, quadratic = 0.60548980548978082>>
       : tensor<4096x64xf32>, tensor<4096x64xf32>, tensor<4096x64xf32> -> tensor<4096x64xf32>
    scf.yield %p : tensor<4096x64xf32>
  } else {
    scf.yield %x : tensor<4096x64xf32>
  }
  return %o : tensor<4096x64xf32>
}

// -----

func.func @output(%x: tensor<4096x64xf32>) -> tensor<4096x64xf32> {
  %c = attn.center_keys %x : tensor<4096x64xf32>
  %ok = attn.check_bound %x, %c scale 1.250000e-01 bound 0.60014648437499996 max_norm 0x41D0000000000000 second_moment 0.007900341161170013 mean 1.000000e-03 : tensor<4096x64xf32>, tensor<4096x64xf32>
  %o = scf.if %ok -> (tensor<4096x64xf32>) {
    // expected-error @+2 {{certificate claims less output_error than can be proved}}
    // expected-note @+1 {{claimed}}
    %p = attn.attention %x, %c, %x scale 1.250000e-01 kernel poly<[1.0000464530906323, 1.0067541194582157]> bound <0.60014648437499996, declared>
       certificate <score_bound = 0.60014648437499996, kernel_error = 5.6771820453848783E-5, weight_change = 0.0096903812445357593, rounding_error = 5.371806534506866E-5, output_error = 0.009646658316782021, max_keys = 4096, assumption = guarded,
                    moments = <second_moment = 0.007900341161170013, mean = 1.000000e-03, quadratic = 0.60548980548978082>>
       : tensor<4096x64xf32>, tensor<4096x64xf32>, tensor<4096x64xf32> -> tensor<4096x64xf32>
    scf.yield %p : tensor<4096x64xf32>
  } else {
    scf.yield %x : tensor<4096x64xf32>
  }
  return %o : tensor<4096x64xf32>
}

// -----

func.func @kernel(%x: tensor<4096x64xf32>) -> tensor<4096x64xf32> {
  %c = attn.center_keys %x : tensor<4096x64xf32>
  %ok = attn.check_bound %x, %c scale 1.250000e-01 bound 0.60014648437499996 max_norm 0x41D0000000000000 second_moment 0.007900341161170013 mean 1.000000e-03 : tensor<4096x64xf32>, tensor<4096x64xf32>
  %o = scf.if %ok -> (tensor<4096x64xf32>) {
    // expected-error @+2 {{certificate claims less kernel_error than can be proved}}
    // expected-note @+1 {{claimed}}
    %p = attn.attention %x, %c, %x scale 1.250000e-01 kernel poly<[1.0, 1.05]> bound <0.60014648437499996, declared>
       certificate <score_bound = 0.60014648437499996, kernel_error = 5.6771820453848783E-5, weight_change = 0.0096903812445357593, rounding_error = 5.371806534506866E-5, output_error = 0.0097440993098808301, max_keys = 4096, assumption = guarded,
                    moments = <second_moment = 0.007900341161170013, mean = 1.000000e-03, quadratic = 0.60548980548978082>>
       : tensor<4096x64xf32>, tensor<4096x64xf32>, tensor<4096x64xf32> -> tensor<4096x64xf32>
    scf.yield %p : tensor<4096x64xf32>
  } else {
    scf.yield %x : tensor<4096x64xf32>
  }
  return %o : tensor<4096x64xf32>
}

// -----

func.func @negative(%x: tensor<4096x64xf32>) -> tensor<4096x64xf32> {
  %c = attn.center_keys %x : tensor<4096x64xf32>
  %ok = attn.check_bound %x, %c scale 1.250000e-01 bound 0.60014648437499996 max_norm 0x41D0000000000000 second_moment 0.007900341161170013 mean 1.000000e-03 : tensor<4096x64xf32>, tensor<4096x64xf32>
  %o = scf.if %ok -> (tensor<4096x64xf32>) {
    // expected-error @+1 {{certificate cannot be proved}}
    %p = attn.attention %x, %c, %x scale 1.250000e-01 kernel poly<[1.0, 1.7]> bound <0.60014648437499996, declared>
       certificate <score_bound = 0.60014648437499996, kernel_error = 5.6771820453848783E-5, weight_change = 0.0096903812445357593, rounding_error = 5.371806534506866E-5, output_error = 0.0097440993098808301, max_keys = 4096, assumption = guarded,
                    moments = <second_moment = 0.007900341161170013, mean = 1.000000e-03, quadratic = 0.60548980548978082>>
       : tensor<4096x64xf32>, tensor<4096x64xf32>, tensor<4096x64xf32> -> tensor<4096x64xf32>
    scf.yield %p : tensor<4096x64xf32>
  } else {
    scf.yield %x : tensor<4096x64xf32>
  }
  return %o : tensor<4096x64xf32>
}

// -----

func.func @check_of_other_keys(%x: tensor<4096x64xf32>) -> tensor<4096x64xf32> {
  %c = attn.center_keys %x : tensor<4096x64xf32>
  %ok = attn.check_bound %x, %x scale 1.250000e-01 bound 0.60014648437499996 max_norm 0x41D0000000000000 second_moment 0.007900341161170013 mean 1.000000e-03 : tensor<4096x64xf32>, tensor<4096x64xf32>
  %o = scf.if %ok -> (tensor<4096x64xf32>) {
    // expected-error @+1 {{has a certificate that assumes a run-time check}}
    %p = attn.attention %x, %c, %x scale 1.250000e-01 kernel poly<[1.0000464530906323, 1.0067541194582157]> bound <0.60014648437499996, declared>
       certificate <score_bound = 0.60014648437499996, kernel_error = 5.6771820453848783E-5, weight_change = 0.0096903812445357593, rounding_error = 5.371806534506866E-5, output_error = 0.0097440993098808301, max_keys = 4096, assumption = guarded,
                    moments = <second_moment = 0.007900341161170013, mean = 1.000000e-03, quadratic = 0.60548980548978082>>
       : tensor<4096x64xf32>, tensor<4096x64xf32>, tensor<4096x64xf32> -> tensor<4096x64xf32>
    scf.yield %p : tensor<4096x64xf32>
  } else {
    scf.yield %x : tensor<4096x64xf32>
  }
  return %o : tensor<4096x64xf32>
}

// -----

func.func @check_without_moments(%x: tensor<4096x64xf32>) -> tensor<4096x64xf32> {
  %c = attn.center_keys %x : tensor<4096x64xf32>
  %ok = attn.check_bound %x, %c scale 1.250000e-01 bound 0.60014648437499996 max_norm 0x41D0000000000000 : tensor<4096x64xf32>, tensor<4096x64xf32>
  %o = scf.if %ok -> (tensor<4096x64xf32>) {
    // expected-error @+1 {{second_moment at most}}
    %p = attn.attention %x, %c, %x scale 1.250000e-01 kernel poly<[1.0000464530906323, 1.0067541194582157]> bound <0.60014648437499996, declared>
       certificate <score_bound = 0.60014648437499996, kernel_error = 5.6771820453848783E-5, weight_change = 0.0096903812445357593, rounding_error = 5.371806534506866E-5, output_error = 0.0097440993098808301, max_keys = 4096, assumption = guarded,
                    moments = <second_moment = 0.007900341161170013, mean = 1.000000e-03, quadratic = 0.60548980548978082>>
       : tensor<4096x64xf32>, tensor<4096x64xf32>, tensor<4096x64xf32> -> tensor<4096x64xf32>
    scf.yield %p : tensor<4096x64xf32>
  } else {
    scf.yield %x : tensor<4096x64xf32>
  }
  return %o : tensor<4096x64xf32>
}

// -----

func.func @check_of_larger_moments(%x: tensor<4096x64xf32>) -> tensor<4096x64xf32> {
  %c = attn.center_keys %x : tensor<4096x64xf32>
  %ok = attn.check_bound %x, %c scale 1.250000e-01 bound 0.60014648437499996 max_norm 0x41D0000000000000 second_moment 0.00790113119528613 mean 1.000000e-03 : tensor<4096x64xf32>, tensor<4096x64xf32>
  %o = scf.if %ok -> (tensor<4096x64xf32>) {
    // expected-error @+1 {{second_moment at most}}
    %p = attn.attention %x, %c, %x scale 1.250000e-01 kernel poly<[1.0000464530906323, 1.0067541194582157]> bound <0.60014648437499996, declared>
       certificate <score_bound = 0.60014648437499996, kernel_error = 5.6771820453848783E-5, weight_change = 0.0096903812445357593, rounding_error = 5.371806534506866E-5, output_error = 0.0097440993098808301, max_keys = 4096, assumption = guarded,
                    moments = <second_moment = 0.007900341161170013, mean = 1.000000e-03, quadratic = 0.60548980548978082>>
       : tensor<4096x64xf32>, tensor<4096x64xf32>, tensor<4096x64xf32> -> tensor<4096x64xf32>
    scf.yield %p : tensor<4096x64xf32>
  } else {
    scf.yield %x : tensor<4096x64xf32>
  }
  return %o : tensor<4096x64xf32>
}

// -----

func.func @check_of_larger_means(%x: tensor<4096x64xf32>) -> tensor<4096x64xf32> {
  %c = attn.center_keys %x : tensor<4096x64xf32>
  %ok = attn.check_bound %x, %c scale 1.250000e-01 bound 0.60014648437499996 max_norm 0x41D0000000000000 second_moment 0.007900341161170013 mean 0.002 : tensor<4096x64xf32>, tensor<4096x64xf32>
  %o = scf.if %ok -> (tensor<4096x64xf32>) {
    // expected-error @+1 {{second_moment at most}}
    %p = attn.attention %x, %c, %x scale 1.250000e-01 kernel poly<[1.0000464530906323, 1.0067541194582157]> bound <0.60014648437499996, declared>
       certificate <score_bound = 0.60014648437499996, kernel_error = 5.6771820453848783E-5, weight_change = 0.0096903812445357593, rounding_error = 5.371806534506866E-5, output_error = 0.0097440993098808301, max_keys = 4096, assumption = guarded,
                    moments = <second_moment = 0.007900341161170013, mean = 1.000000e-03, quadratic = 0.60548980548978082>>
       : tensor<4096x64xf32>, tensor<4096x64xf32>, tensor<4096x64xf32> -> tensor<4096x64xf32>
    scf.yield %p : tensor<4096x64xf32>
  } else {
    scf.yield %x : tensor<4096x64xf32>
  }
  return %o : tensor<4096x64xf32>
}

// -----

func.func @check_of_larger_bound(%x: tensor<4096x64xf32>) -> tensor<4096x64xf32> {
  %c = attn.center_keys %x : tensor<4096x64xf32>
  %ok = attn.check_bound %x, %c scale 1.250000e-01 bound 0.6002064990234375 max_norm 0x41D0000000000000 second_moment 0.007900341161170013 mean 1.000000e-03 : tensor<4096x64xf32>, tensor<4096x64xf32>
  %o = scf.if %ok -> (tensor<4096x64xf32>) {
    // expected-error @+1 {{has a certificate that assumes a run-time check}}
    %p = attn.attention %x, %c, %x scale 1.250000e-01 kernel poly<[1.0000464530906323, 1.0067541194582157]> bound <0.60014648437499996, declared>
       certificate <score_bound = 0.60014648437499996, kernel_error = 5.6771820453848783E-5, weight_change = 0.0096903812445357593, rounding_error = 5.371806534506866E-5, output_error = 0.0097440993098808301, max_keys = 4096, assumption = guarded,
                    moments = <second_moment = 0.007900341161170013, mean = 1.000000e-03, quadratic = 0.60548980548978082>>
       : tensor<4096x64xf32>, tensor<4096x64xf32>, tensor<4096x64xf32> -> tensor<4096x64xf32>
    scf.yield %p : tensor<4096x64xf32>
  } else {
    scf.yield %x : tensor<4096x64xf32>
  }
  return %o : tensor<4096x64xf32>
}

// -----

func.func @check_under_another_mask(%x: tensor<4096x64xf32>) -> tensor<4096x64xf32> {
  %c = attn.center_keys %x : tensor<4096x64xf32>
  %ok = attn.check_bound %x, %c scale 1.250000e-01 bound 0.60014648437499996 max_norm 0x41D0000000000000 second_moment 0.007900341161170013 mean 1.000000e-03 : tensor<4096x64xf32>, tensor<4096x64xf32>
  %o = scf.if %ok -> (tensor<4096x64xf32>) {
    // expected-error @+1 {{has a certificate that assumes a run-time check}}
    %p = attn.attention %x, %c, %x scale 1.250000e-01 kernel poly<[1.0000464530906323, 1.0067541194582157]> mask causal bound <0.60014648437499996, declared>
       certificate <score_bound = 0.60014648437499996, kernel_error = 5.6771820453848783E-5, weight_change = 0.0096903812445357593, rounding_error = 5.371806534506866E-5, output_error = 0.0097440993098808301, max_keys = 4096, assumption = guarded,
                    moments = <second_moment = 0.007900341161170013, mean = 1.000000e-03, quadratic = 0.60548980548978082>>
       : tensor<4096x64xf32>, tensor<4096x64xf32>, tensor<4096x64xf32> -> tensor<4096x64xf32>
    scf.yield %p : tensor<4096x64xf32>
  } else {
    scf.yield %x : tensor<4096x64xf32>
  }
  return %o : tensor<4096x64xf32>
}
