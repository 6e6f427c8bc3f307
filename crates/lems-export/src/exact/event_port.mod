: Sends an event for each that another instance has counted since the last step.
: Made by jlems-rs. NEURON lets an instance have one way out for events; this is another one.

NEURON {
    THREADSAFE
    POINT_PROCESS EventPort
    POINTER count
}

ASSIGNED {
    count  : events to be sent
}

INITIAL {
    net_send(0, 1)
}

NET_RECEIVE(ignored) {
    if (flag == 1) {
        WATCH (count > 0.5) 2
    } else if (flag == 2) {
        WHILE (count > 0.5) {
            count = count - 1
            net_event(t)
        }
        WATCH (count > 0.5) 2
    }
}
