import type { problems as source } from "../en/problems";
import type { Translated } from "../t";
import type { Form } from ".";

/** What the server would not do, and what it finds wrong with a field. */
export const problems: Translated<typeof source, Form> = {
  "problem.is.malformed": "La requête est illisible. Rechargez la page.",
  "problem.is.unauthorized": "Connectez-vous d’abord.",
  "problem.is.credentials": "L’e-mail ou le mot de passe est incorrect.",
  "problem.is.forbidden": "Vous n’en avez pas le droit. Demandez à un admin de l’espace de travail.",
  "problem.is.missing": "Cela n’existe pas, ou plus.",
  "problem.is.exists": "Cela existe déjà. Choisissez un autre nom ou une autre valeur.",
  "problem.is.refers": "Cela renvoie à quelque chose qui n’existe pas. Rechargez la page.",
  "problem.is.too-large": "C’est trop volumineux.",
  "problem.is.unsupported": "Ce type de fichier n’est pas accepté, ou il n’est pas ce qu’il prétend être.",
  "problem.is.invalid": "Certains champs sont incorrects.",
  "problem.is.too-many": "Trop de requêtes. Réessayez dans un instant.",
  "problem.is.busy": "Le serveur est occupé. Réessayez dans un instant.",
  "problem.is.closed": "Le serveur s’arrête. On ne sait pas si l’action a eu lieu : vérifiez avant de réessayer.",
  "problem.is.unavailable": "Un service dont nous avons besoin ne répond pas. Réessayez dans un instant.",
  "problem.is.internal":
    "Une erreur s’est produite, et elle vient de nous. L’identifiant de la requête permet de la retrouver.",
  "problem.is.already-done": "C’est déjà fait. Regardez le résultat au lieu de redemander.",
  "problem.is.in-flight": "C’est en cours. Réessayez dans un instant.",
  "problem.is.invitation-lapsed": "Cette invitation ne fonctionne plus. Demandez-en une nouvelle.",
  "problem.is.last-admin": "Personne d’autre n’est admin. Nommez d’abord un autre admin.",
  "problem.is.email-taken": "Cet e-mail est déjà pris. Connectez-vous avec, ou utilisez-en un autre.",
  "problem.is.no-number": "Il n’y a pas encore de numéro. Connectez d’abord un numéro.",
  "problem.is.media-pending": "Le fichier est encore en route. Réessayez dans un instant.",
  "problem.is.media-failed": "Le fichier n’a pas pu être récupéré.",
  "problem.is.not-supported": "Ce numéro ne le permet pas : sa passerelle ne le propose pas.",
  "problem.is.outside-window": "Les 24 heures de texte libre sont écoulées.",
  "problem.is.number-taken": "Ce numéro est déjà connecté, ici ou dans un autre espace de travail.",
  "problem.is.hook-unreachable":
    "Meta n’a pas joint cet Indaba. Son adresse doit être ouverte à Internet en https : demandez à l’opérateur.",
  "problem.is.gateway-refused": "La passerelle a refusé.",
  "problem.is.not-movable": "Un numéro sur la Cloud API n’a pas de passerelle : il reste chez Meta.",
  "problem.is.no-shared-hooks":
    "Cette passerelle n’a besoin d’aucun réglage : chacun de ses numéros a son propre hook.",
  "problem.is.no-code":
    "Il n’y a pas de code à scanner pour l’instant. Le numéro est déjà connecté, ou en préparation.",
  "problem.is.gateway-full":
    "Cette passerelle n’accepte plus de numéros. Choisissez-en une autre, ou demandez à son opérateur.",
  "problem.is.no-gateway": "Aucune passerelle n’a de place. Connectez la vôtre, ou demandez à l’opérateur.",
  "problem.is.gateway-in-use": "Des numéros sont sur cette passerelle. Supprimez-les ou déplacez-les d’abord.",
  "problem.is.gateway-denied": "La passerelle nous refuse l’accès. Sa clé d’API a changé : saisissez la nouvelle.",
  "problem.is.gateway-forgot": "La passerelle ne connaît plus ce numéro. Reconnectez-le avec un nouveau code.",
  "problem.is.upgrade-gateway": "La passerelle est trop ancienne pour cela. Son opérateur doit la mettre à jour.",
  "problem.is.account-locked": "WhatsApp a bloqué les premiers messages depuis ce numéro. Les réponses partent encore.",
  "problem.is.not-linked": "Le numéro n’est pas connecté. Connectez-le d’abord.",
  "problem.is.shortcut-taken": "Une autre réponse rapide a ce raccourci. Choisissez-en un autre.",
  "problem.is.list-full": "Il y a déjà 300 réponses rapides. Supprimez-en d’abord.",
  "problem.is.not-offered": "L’exploitant de cette installation l’a désactivé.",
  "problem.is.number-removed":
    "Le numéro de cette conversation a été retiré. Commencez une conversation sur un autre numéro.",
  "problem.is.wrong-state": "L’état de ce message ne le permet plus.",
  "problem.is.label-exists": "Il y a déjà une étiquette de ce nom. Utilisez-la, ou choisissez un autre nom.",
  "problem.is.too-many-labels": "Un espace a au plus 100 étiquettes. Supprimez-en une dont personne n’a besoin.",

  "wrong.it": "Ceci n’est pas correct.",
  "wrong.missing": "Il manque une valeur.",
  "wrong.password": "Ce n’est pas votre mot de passe.",
  "wrong.phone": "Saisissez un numéro complet avec son indicatif, par exemple +27 82 000 0000.",
  "wrong.name": "De 1 à 100 caractères.",
  "wrong.emptyFile": "Ce fichier est vide.",
  "wrong.picture": "Cette image est endommagée.",
  "wrong.noAnswer": "Rien ne répond à cette adresse. Vérifiez-la, et que la passerelle fonctionne.",
  "wrong.key": "La passerelle n’accepte pas cette clé.",
  "wrong.gateway": "Quelque chose répond là, mais pas une passerelle de ce type.",
  "wrong.invited": "Ce n’est pas l’e-mail qui a été invité.",
};
