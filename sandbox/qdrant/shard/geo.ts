import { withoutBox } from '../base/doubles.ts';
import { EngineError } from '../base/errors.ts';
import { isObject, type Json, type JsonObject } from '../base/json.ts';

const EARTH_RADIUS_METERS = 6_371_008.8;
type Place = { readonly lon: number; readonly lat: number };

/** The geo part of a field condition as a test of one payload value; undefined when there is none. */
export function geoMatches(condition: JsonObject): ((value: Json) => boolean) | undefined {
  if (condition.geo_polygon) throw new EngineError('NotBuilt', 'geo_polygon');
  const { geo_bounding_box: box, geo_radius: circle } = condition;
  if (isObject(box)) {
    const topLeft = placeOf(box.top_left);
    const bottomRight = placeOf(box.bottom_right);
    return (value) => {
      const place = maybePlace(value);
      if (!place || !topLeft || !bottomRight) return false;
      const within = place.lat <= topLeft.lat && place.lat >= bottomRight.lat;
      return within && place.lon >= topLeft.lon && place.lon <= bottomRight.lon;
    };
  }
  if (isObject(circle)) {
    const center = placeOf(circle.center);
    const radius = Number(circle.radius);
    return (value) => {
      const place = maybePlace(value);
      return place !== undefined && distanceMeters(place, center) <= radius;
    };
  }
  return undefined;
}

function placeOf(value: Json | undefined): Place {
  const place = maybePlace(value);
  if (place) return place;
  throw new EngineError('Format', 'expected a geo point with `lon` and `lat`');
}

function maybePlace(value: Json | undefined): Place | undefined {
  if (!isObject(value)) return undefined;
  const [lon, lat] = [withoutBox(value.lon ?? null), withoutBox(value.lat ?? null)];
  return typeof lon === 'number' && typeof lat === 'number' ? { lon, lat } : undefined;
}

/** Great-circle distance (haversine). */
function distanceMeters(a: Place, b: Place): number {
  const radians = (degrees: number): number => (degrees * Math.PI) / 180;
  const lat = Math.sin(radians(b.lat - a.lat) / 2) ** 2;
  const lon = Math.sin(radians(b.lon - a.lon) / 2) ** 2;
  const h = lat + Math.cos(radians(a.lat)) * Math.cos(radians(b.lat)) * lon;
  return 2 * EARTH_RADIUS_METERS * Math.asin(Math.sqrt(h));
}
