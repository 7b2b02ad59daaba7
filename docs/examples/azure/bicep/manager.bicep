// The manager's tenant: the application, its federated credentials, and the manager's role. Not tried against Azure.
//   az deployment sub create --location eastus2 --template-file manager.bicep --parameters ...
extension microsoftGraphV1

targetScope = 'subscription'

@description('The application, by a name that is unique in the tenant.')
param applicationName string = 'avnm-operator'

@description('The issuer of the cluster, to the letter, with or without the last slash as it says itself.')
param issuer string

@description('One for each ServiceAccount: at most 20 for the application.')
param serviceAccounts { namespace: string, name: string }[] = [{ namespace: 'network-hub', name: 'avnm' }]

@description('api://AzureADTokenExchangeUSGov and api://AzureADTokenExchangeChina in the other clouds.')
param audience string = 'api://AzureADTokenExchange'

param managerResourceGroup string
param managerName string

var role = loadJsonContent('../manager-role.json')

resource application 'Microsoft.Graph/applications@v1.0' = {
  uniqueName: applicationName
  displayName: applicationName
  signInAudience: 'AzureADMultipleOrgs'
  // Where a browser goes after consent in the other tenant; without one, Entra refuses the link.
  web: { redirectUris: ['https://portal.azure.com/'] }
}

@batchSize(1)
resource federated 'Microsoft.Graph/applications/federatedIdentityCredentials@v1.0' = [for account in serviceAccounts: {
  name: '${application.uniqueName}/${account.namespace}-${account.name}'
  issuer: issuer
  subject: 'system:serviceaccount:${account.namespace}:${account.name}'
  audiences: [audience]
}]

resource principal 'Microsoft.Graph/servicePrincipals@v1.0' = {
  appId: application.appId
}

resource definition 'Microsoft.Authorization/roleDefinitions@2022-04-01' = {
  name: guid(subscription().id, role.Name)
  properties: {
    roleName: role.Name
    description: role.Description
    type: 'CustomRole'
    permissions: [{ actions: role.Actions, notActions: [] }]
    assignableScopes: [subscription().id]
  }
}

module assignment 'assign-manager.bicep' = {
  name: 'avnm-operator-manager'
  scope: resourceGroup(managerResourceGroup)
  params: {
    managerName: managerName
    principalId: principal.id
    roleDefinitionId: definition.id
  }
}

@description('For spec.clientId, and for the administrator of the other tenant.')
output clientId string = application.appId
