#ifndef BRIDGE_QUIC_CALLBACKS_H
#define BRIDGE_QUIC_CALLBACKS_H

#include "internal.h"

ngtcp2_callbacks bridge_ngtcp2_callbacks(void);

#endif
