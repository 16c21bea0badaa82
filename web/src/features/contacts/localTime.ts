import { language } from "~/i18n/language";

/**
 * Country codes of numbers, with the country and its time zone: only countries that keep one time everywhere, all year.
 * Left out are those with several zones (Brazil, Russia, Spain and its islands …), codes that several countries share
 * (+1, +7, +262), and places where people disagree about the time. Zones by their names in the tz database.
 */
const zones = `20EGAfrica/Cairo 211SSAfrica/Juba 212MAAfrica/Casablanca 213DZAfrica/Algiers 216TNAfrica/Tunis
218LYAfrica/Tripoli 220GMAfrica/Banjul 221SNAfrica/Dakar 222MRAfrica/Nouakchott 223MLAfrica/Bamako 224GNAfrica/Conakry
225CIAfrica/Abidjan 226BFAfrica/Ouagadougou 227NEAfrica/Niamey 228TGAfrica/Lome 229BJAfrica/Porto-Novo
230MUIndian/Mauritius 231LRAfrica/Monrovia 232SLAfrica/Freetown 233GHAfrica/Accra 234NGAfrica/Lagos 235TDAfrica/Ndjamena
236CFAfrica/Bangui 237CMAfrica/Douala 238CVAtlantic/Cape_Verde 239STAfrica/Sao_Tome 240GQAfrica/Malabo
241GAAfrica/Libreville 242CGAfrica/Brazzaville 244AOAfrica/Luanda 245GWAfrica/Bissau 248SCIndian/Mahe 249SDAfrica/Khartoum
250RWAfrica/Kigali 251ETAfrica/Addis_Ababa 252SOAfrica/Mogadishu 253DJAfrica/Djibouti 254KEAfrica/Nairobi
255TZAfrica/Dar_es_Salaam 256UGAfrica/Kampala 257BIAfrica/Bujumbura 258MZAfrica/Maputo 260ZMAfrica/Lusaka
261MGIndian/Antananarivo 263ZWAfrica/Harare 264NAAfrica/Windhoek 265MWAfrica/Blantyre 266LSAfrica/Maseru
267BWAfrica/Gaborone 268SZAfrica/Mbabane 269KMIndian/Comoro 27ZAAfrica/Johannesburg 291ERAfrica/Asmara 30GREurope/Athens
31NLEurope/Amsterdam 32BEEurope/Brussels 33FREurope/Paris 352LUEurope/Luxembourg 353IEEurope/Dublin 354ISAtlantic/Reykjavik
355ALEurope/Tirane 356MTEurope/Malta 358FIEurope/Helsinki 359BGEurope/Sofia 36HUEurope/Budapest 370LTEurope/Vilnius
371LVEurope/Riga 372EEEurope/Tallinn 374AMAsia/Yerevan 376ADEurope/Andorra 381RSEurope/Belgrade 382MEEurope/Podgorica
385HREurope/Zagreb 386SIEurope/Ljubljana 387BAEurope/Sarajevo 389MKEurope/Skopje 39ITEurope/Rome 40ROEurope/Bucharest
41CHEurope/Zurich 420CZEurope/Prague 421SKEurope/Bratislava 423LIEurope/Vaduz 43ATEurope/Vienna 44GBEurope/London
45DKEurope/Copenhagen 46SEEurope/Stockholm 47NOEurope/Oslo 48PLEurope/Warsaw 49DEEurope/Berlin 501BZAmerica/Belize
502GTAmerica/Guatemala 503SVAmerica/El_Salvador 504HNAmerica/Tegucigalpa 505NIAmerica/Managua 506CRAmerica/Costa_Rica
507PAAmerica/Panama 509HTAmerica/Port-au-Prince 51PEAmerica/Lima 53CUAmerica/Havana 57COAmerica/Bogota 58VEAmerica/Caracas
591BOAmerica/La_Paz 592GYAmerica/Guyana 595PYAmerica/Asuncion 597SRAmerica/Paramaribo 598UYAmerica/Montevideo
60MYAsia/Kuala_Lumpur 63PHAsia/Manila 65SGAsia/Singapore 66THAsia/Bangkok 673BNAsia/Brunei 679FJPacific/Fiji
81JPAsia/Tokyo 82KRAsia/Seoul 84VNAsia/Ho_Chi_Minh 852HKAsia/Hong_Kong 853MOAsia/Macau 855KHAsia/Phnom_Penh
856LAAsia/Vientiane 880BDAsia/Dhaka 886TWAsia/Taipei 91INAsia/Kolkata 92PKAsia/Karachi 93AFAsia/Kabul 94LKAsia/Colombo
95MMAsia/Yangon 960MVIndian/Maldives 961LBAsia/Beirut 962JOAsia/Amman 963SYAsia/Damascus 964IQAsia/Baghdad
965KWAsia/Kuwait 966SAAsia/Riyadh 967YEAsia/Aden 968OMAsia/Muscat 971AEAsia/Dubai 973BHAsia/Bahrain 974QAAsia/Qatar
975BTAsia/Thimphu 977NPAsia/Kathmandu 98IRAsia/Tehran 992TJAsia/Dushanbe 993TMAsia/Ashgabat 994AZAsia/Baku
995GEAsia/Tbilisi 996KGAsia/Bishkek 998UZAsia/Tashkent`;

let byCode: Map<string, { country: string; zone: string }> | undefined;

function placeOf(phone: string): { country: string; zone: string } | undefined {
  byCode ??= new Map(
    [...zones.matchAll(/(\d+)([A-Z]{2})(\S+)/g)].map(([, code, country, zone]) => [
      code as string,
      { country: country as string, zone: zone as string },
    ]),
  );
  // No country code begins another one.
  for (const length of [2, 3]) {
    const found = byCode.get(phone.slice(1, 1 + length));
    if (found) return found;
  }
  return undefined;
}

/** What a clock in `zone` shows, in milliseconds, as if it were UTC; exact to the minute. */
function wallClock(now: number, zone?: string): number {
  const parts = new Intl.DateTimeFormat("en-u-ca-gregory-nu-latn", {
    ...(zone && { timeZone: zone }),
    hourCycle: "h23",
    year: "numeric",
    month: "numeric",
    day: "numeric",
    hour: "numeric",
    minute: "numeric",
  }).formatToParts(now);
  const part = (type: string) => Number(parts.find((one) => one.type === type)?.value);
  return Date.UTC(part("year"), part("month") - 1, part("day"), part("hour"), part("minute"));
}

/**
 * What time it is where a number comes from, when that is at least an hour from the reader's own; nothing when the country
 * has several times, or the browser does not know its zone.
 */
export function localTime(
  phone: string | null | undefined,
  now: number,
  own?: string,
): { time: string; country: string } | undefined {
  const place = phone ? placeOf(phone) : undefined;
  if (!place) return undefined;
  try {
    if (Math.abs(wallClock(now, place.zone) - wallClock(now, own)) < 3_600_000) return undefined;
    return {
      time: new Intl.DateTimeFormat(language.locale, {
        timeZone: place.zone,
        weekday: "short",
        hour: "2-digit",
        minute: "2-digit",
      }).format(now),
      country: new Intl.DisplayNames(language.locale, { type: "region" }).of(place.country) ?? place.country,
    };
  } catch {
    return undefined;
  }
}
