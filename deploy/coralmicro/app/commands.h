/* Commands arrive as JSON-RPC over USB Ethernet, because the SDK cannot receive over USB serial. */
#ifndef TINYTRACKER_COMMANDS_H
#define TINYTRACKER_COMMANDS_H

#include <cstdint>

#include "frame_source.h"

namespace tinytracker {

/* Starts the server; the README lists its methods. */
void StartCommands(FrameSource* frames);

/* Next byte for the protocol session, or -1. */
int32_t NextCommandByte();

/* True when bytes are waiting. */
bool CommandsWaiting();

}  // namespace tinytracker

#endif
