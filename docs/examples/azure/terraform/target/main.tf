# The target tenant: consent (the service principal), the target's and the network's role. Not tried against Azure.

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
  description = "A subscription of this tenant: the target itself, or one below the target."
  type        = string
}

variable "client_id" {
  description = "The application of the manager's tenant."
  type        = string
}

variable "scope" {
  description = "spec.target.scope: /subscriptions/GUID or /providers/Microsoft.Management/managementGroups/NAME."
  type        = string
}

variable "network_scopes" {
  description = "The networks that may be put into groups, or what they lie in, all below scope."
  type        = set(string)
}

locals {
  target  = jsondecode(file("${path.module}/../../target-role.json"))
  network = jsondecode(file("${path.module}/../../network-role.json"))
}

resource "azuread_service_principal" "operator" {
  client_id = var.client_id
}

resource "azurerm_role_definition" "target" {
  name              = local.target.Name
  description       = local.target.Description
  scope             = var.scope
  assignable_scopes = [var.scope]

  permissions {
    actions = local.target.Actions
  }
}

resource "azurerm_role_definition" "network" {
  name              = local.network.Name
  description       = local.network.Description
  scope             = var.scope
  assignable_scopes = [var.scope]

  permissions {
    actions = local.network.Actions
  }
}

resource "azurerm_role_assignment" "target" {
  scope              = var.scope
  role_definition_id = azurerm_role_definition.target.role_definition_resource_id
  principal_id       = azuread_service_principal.operator.object_id
  principal_type     = "ServicePrincipal"
}

resource "azurerm_role_assignment" "network" {
  for_each = var.network_scopes

  scope              = each.value
  role_definition_id = azurerm_role_definition.network.role_definition_resource_id
  principal_id       = azuread_service_principal.operator.object_id
  principal_type     = "ServicePrincipal"
}
