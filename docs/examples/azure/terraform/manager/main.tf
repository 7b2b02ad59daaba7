# The manager's tenant: the application, its federated credentials, and the manager's role. Not tried against Azure.

terraform {
  required_providers {
    azuread = {
      source  = "hashicorp/azuread"
      version = "~> 3.0"
    }
    azurerm = {
      source  = "hashicorp/azurerm"
      version = "~> 4.0"
    }
  }
}

provider "azuread" {
  tenant_id = var.tenant_id
}

provider "azurerm" {
  tenant_id       = var.tenant_id
  subscription_id = var.subscription_id
  features {}
}

variable "tenant_id" {
  type = string
}

variable "subscription_id" {
  type = string
}

variable "network_manager_id" {
  type = string
}

variable "issuer" {
  description = "The issuer of the cluster, to the letter, with or without the last slash as it says itself."
  type        = string
}

variable "service_accounts" {
  description = "One for each ServiceAccount: at most 20 for the application."
  type        = map(object({ namespace = string, name = string }))
  default     = { network-hub = { namespace = "network-hub", name = "avnm" } }
}

variable "audience" {
  description = "api://AzureADTokenExchangeUSGov and api://AzureADTokenExchangeChina in the other clouds."
  type        = string
  default     = "api://AzureADTokenExchange"
}

locals {
  role = jsondecode(file("${path.module}/../../manager-role.json"))
}

resource "azuread_application" "operator" {
  display_name     = "avnm-operator"
  sign_in_audience = "AzureADMultipleOrgs"

  # Where a browser goes after consent in the other tenant; without one, Entra refuses the link.
  web {
    redirect_uris = ["https://portal.azure.com/"]
  }
}

resource "azuread_application_federated_identity_credential" "operator" {
  for_each = var.service_accounts

  application_id = azuread_application.operator.id
  display_name   = each.key
  issuer         = var.issuer
  subject        = "system:serviceaccount:${each.value.namespace}:${each.value.name}"
  audiences      = [var.audience]
}

resource "azuread_service_principal" "operator" {
  client_id = azuread_application.operator.client_id
}

resource "azurerm_role_definition" "manager" {
  name              = local.role.Name
  description       = local.role.Description
  scope             = "/subscriptions/${var.subscription_id}"
  assignable_scopes = ["/subscriptions/${var.subscription_id}"]

  permissions {
    actions = local.role.Actions
  }
}

resource "azurerm_role_assignment" "manager" {
  scope              = var.network_manager_id
  role_definition_id = azurerm_role_definition.manager.role_definition_resource_id
  principal_id       = azuread_service_principal.operator.object_id
  principal_type     = "ServicePrincipal"
}

output "client_id" {
  description = "For spec.clientId, and for the administrator of the other tenant."
  value       = azuread_application.operator.client_id
}
