/// A QUIC connection by ngtcp2 and GnuTLS, behind functions and types of our own. No layout, error number or macro of
/// either library goes through these headers, so that one Swift source serves ngtcp2 0.12.1 and 1.x.
///
/// Rules of use: each connection has one caller at a time. A connection's callbacks may call none of its functions
/// except `bridge_quic_consume` and plain getters. All times are in nanoseconds of one monotonic clock.
#ifndef CNGTCP2_H
#define CNGTCP2_H

#include "bridge_acceptance.h"
#include "bridge_base.h"
#include "bridge_creation.h"
#include "bridge_credentials.h"
#include "bridge_crypto.h"
#include "bridge_datagrams.h"
#include "bridge_engine.h"
#include "bridge_tls.h"

#endif
