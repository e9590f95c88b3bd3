#!/bin/sh
# Registers the namespace, its retention and the search attributes Reintegro's Workflows set. Running it again changes
# nothing but the retention. Address and namespace come from TEMPORAL_ADDRESS and TEMPORAL_NAMESPACE.
set -eu

# Tries a command once a second for a minute, then shows what it says and gives up.
until_it_works() {
  attempts=0
  until "$@" > /dev/null 2>&1; do
    attempts=$((attempts + 1))
    if [ "$attempts" -ge 60 ]; then
      "$@"
      return
    fi
    sleep 1
  done
}

until_it_works temporal operator cluster health

if temporal operator namespace describe --namespace "$TEMPORAL_NAMESPACE" > /dev/null 2>&1; then
  until_it_works temporal operator namespace update --namespace "$TEMPORAL_NAMESPACE" --retention "$TEMPORAL_RETENTION"
else
  temporal operator namespace create --namespace "$TEMPORAL_NAMESPACE" --retention "$TEMPORAL_RETENTION"
fi

# A namespace that was just made is not known to every part of the server at once.
until_it_works temporal operator search-attribute create --namespace "$TEMPORAL_NAMESPACE" \
  --name ReintegroStatus --type Keyword \
  --name ReintegroProvider --type Keyword \
  --name ReintegroMerchant --type Keyword \
  --name ReintegroOrder --type Keyword \
  --name ReintegroCurrency --type Keyword \
  --name ReintegroAmount --type Int \
  --name ReintegroNeedsAttention --type Bool
